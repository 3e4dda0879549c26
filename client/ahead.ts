/**
 * What lies ahead of a run, by all that is known at this moment.
 * Rule: a pure function; nothing is foretold that the run does not come to any more.
 */
import { forecastCompletion, forecastCopy, forecastOutage, forecastStart } from '../model/forecast.ts';
import { nextGate } from '../model/phase.ts';
import type { TransferProgress } from '../model/progress.ts';
import { rereadCost } from '../model/scrub.ts';
import type { RoundsStatus, Status } from '../model/status.ts';
import type { View } from './view.ts';

export function ahead(
  status: Status,
  rounds: RoundsStatus | undefined,
  transfers: readonly TransferProgress[],
): Pick<View, 'forecast' | 'outageAhead' | 'copy'> {
  const { measured, disks, outage, phase, left, cancellation } = status;
  const mayComplete = !outage && !cancellation && nextGate(left ?? phase) === 'completeFailover';
  const nothingYet = mayComplete && disks.length > 0 && (rounds?.done ?? 0) === 0;
  const bound = nothingYet
    ? forecastStart(
        disks.map((disk) => disk.sizeBytes),
        measured,
      )
    : undefined;
  const copying = transfers.filter(({ stage }) => stage !== 'scrubbing');
  const copy = forecastCopy(disks, copying) ?? bound;
  const limit = transfers.find((one) => one.limit !== undefined)?.limit;
  const sizeBytes = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  const reread = status.reread ? rereadCost(sizeBytes, rounds?.scrubs) : undefined;
  const facts = { recent: rounds?.recent ?? [], measured, limit, sizeBytes, reread };
  const forecast = mayComplete ? forecastCompletion(facts, Date.now()) : undefined;
  // Where every disk is copied inside the outage, its steps say next to nothing of its length.
  const outageAhead = nothingYet && status.sync === 'before' ? forecastOutage(facts) : undefined;
  return { ...(copy ? { copy } : {}), ...(forecast ? { forecast } : {}), ...(outageAhead ? { outageAhead } : {}) };
}
