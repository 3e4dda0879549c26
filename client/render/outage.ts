/**
 * Says how long nobody served: the last time, and all of a run together.
 * Rule: what lasts is counted up to now; where a run ended and did not see the end of it, that is said.
 */
import { type Outages, outagesTogether } from '../../model/outage.ts';
import { clock, count, duration } from './figures.ts';

/** `Outage: 100 s, over (began …)`; of several all together too. `open`: the run still goes on. */
export function outageText(outages: Outages, open: boolean, now: number): string[] {
  const { outage } = outages;
  const together = outagesTogether(outages, now);
  if (!outage || !together) return [];
  const began = `(began ${clock(outage.startedAt, now)})`;
  if (!outage.endedAt && !open) return [`Outage: the run did not see its end ${began}`];
  const lasted = duration((outage.endedAt ? Date.parse(outage.endedAt) : now) - Date.parse(outage.startedAt));
  const last = outage.endedAt ? `Outage: ${lasted}, over ${began}` : `Outage so far: ${lasted} ${began}`;
  return [together.count > 1 ? `${last}; ${allText(together)}` : last];
}

/** For the line of a watch: `outage 5 s; 2 outages, 12 s together`. Says no figure while one lasts. */
export function outageNews(outages: Outages): string | undefined {
  const { outage } = outages;
  const together = outagesTogether(outages, 0);
  if (!outage || !together) return undefined;
  if (!outage.endedAt) return 'outage under way';
  const last = `outage ${duration(Date.parse(outage.endedAt) - Date.parse(outage.startedAt))}`;
  return together.count > 1 ? `${last} (${allText(together)})` : last;
}

const allText = (together: { readonly count: number; readonly ms: number }): string =>
  `${count(together.count, 'outage')}, ${duration(together.ms)} together`;
