/**
 * What lies ahead of a run, by all that is known at this moment.
 * Rule: a pure function; nothing is foretold that the run does not come to any more.
 */
import { forecastCompletion, forecastCopy, forecastOutage, forecastStart } from '../model/forecast.ts';
import type { Inventory } from '../model/inventory.ts';
import { nextGate } from '../model/phase.ts';
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
): Pick<View, 'forecast' | 'outageAhead' | 'copy'> {
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
  const facts = { recent: rounds?.recent ?? [], measured, limit, sizeBytes, reread };
  const forecast = mayComplete ? forecastCompletion(facts, now) : undefined;
  // Where every disk is copied inside the outage, its steps say next to nothing of its length.
  const outageAhead = nothingYet && status.sync === 'before' ? forecastOutage(facts) : undefined;
  return { ...(copy ? { copy } : {}), ...(forecast ? { forecast } : {}), ...(outageAhead ? { outageAhead } : {}) };
}
