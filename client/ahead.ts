/**
 * What lies ahead of a run, by all that is known at this moment.
 * Rule: a pure function; nothing is foretold that the run does not come to any more.
 */
import type { Band } from '../model/band.ts';
import {
  forecastCompletion,
  forecastCopy,
  forecastEnd,
  forecastOutage,
  forecastStart,
  type OutageForecast,
  type OutageSoFar,
} from '../model/forecast.ts';
import type { Inventory } from '../model/inventory.ts';
import { nextGate, type Phase } from '../model/phase.ts';
import type { TransferProgress } from '../model/progress.ts';
import { rereadCost } from '../model/scrub.ts';
import { limitSince } from '../model/shared-limits.ts';
import type { RoundsStatus, Status } from '../model/status.ts';
import type { View } from './view.ts';

/** `inventory`: as it is now, for the limits whose hours begin or end between two rounds. */
export function ahead(
  status: Status,
  rounds: RoundsStatus | undefined,
  transfers: readonly TransferProgress[],
  inventory?: Inventory,
): Pick<View, 'forecast' | 'outageAhead' | 'outageInAll' | 'copy'> {
  const now = Date.now();
  const { measured, disks, outage, phase, left, cancellation } = status;
  const mayComplete = !outage && !cancellation && nextGate(left ?? phase) === 'completeFailover';
  const nothingYet = mayComplete && disks.length > 0 && (rounds?.done ?? 0) === 0;
  const bound = nothingYet
    ? forecastStart(
        disks.map((disk) => disk.sizeBytes),
        measured,
      )
    : undefined;
  const copying = transfers.filter(({ stage, seal }) => stage !== 'scrubbing' && !seal);
  const copy = forecastCopy(disks, copying) ?? bound;
  const last = rounds?.recent.at(-1);
  const between = inventory && last && limitSince(inventory, status.mover, status.source.site, last, now);
  const limit = transfers.find((one) => one.limit !== undefined)?.limit ?? between;
  const sizeBytes = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  const reread = status.reread ? rereadCost(sizeBytes, rounds?.scrubs) : undefined;
  const underWay = copy?.listed ? copy.bytes.likely : undefined;
  const { pointTakenAt: takenAt } = rounds ?? {};
  const waitsFor =
    takenAt !== undefined && copy?.listed && copy.seconds ? { takenAt, seconds: copy.seconds } : undefined;
  const facts = { recent: rounds?.recent ?? [], measured, limit, sizeBytes, reread, underWay, waitsFor };
  const forecast = mayComplete ? forecastCompletion(facts, now) : undefined;
  const within = status.sync === 'during' ? bound?.seconds : undefined;
  const outageAhead = nothingYet ? forecastOutage(facts, within) : undefined;
  const outageInAll = endOfOutage(status, facts, copy?.seconds, now);
  return {
    ...(copy ? { copy } : {}),
    ...(forecast ? { forecast } : {}),
    ...(outageAhead ? { outageAhead } : {}),
    ...(outageInAll ? { outageInAll } : {}),
  };
}

/** The steps of an outage whose end can be told. */
const stepIn: Partial<Record<Phase, OutageSoFar['step']>> = {
  FinalSync: 'moving',
  Sealing: 'seal',
  StartingTarget: 'start',
};

/** Undefined while it waits for a person: nobody knows how long that takes. */
function endOfOutage(
  { outage, phase, phaseSince, held, cancellation }: Status,
  facts: Parameters<typeof forecastEnd>[0],
  moving: Band | undefined,
  now: number,
): OutageForecast | undefined {
  const step = stepIn[phase];
  if (!outage || outage.endedAt !== undefined || !step || held || cancellation) return undefined;
  const secondsSince = (iso: string): number => Math.max(0, now - Date.parse(iso)) / 1000;
  return forecastEnd(
    facts,
    { seconds: secondsSince(outage.startedAt), step, inStep: secondsSince(phaseSince) },
    moving,
  );
}
