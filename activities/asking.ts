/**
 * Asks one side something, so that its being out of reach is an answer (a refusing check) and not an error.
 * Rule: only what the world itself says becomes a check. A side that is only too busy to answer is asked again by Temporal,
 * as late as it wishes, before that becomes an answer too.
 */
import type { Check } from '../model/check.ts';
import { Failure } from '../model/failure.ts';
import type { ReportingWork } from './attempt.ts';

/** The attempt at which a side that says nothing but how busy it is becomes an answer, so that a person hears of it. */
const lastPatientAttempt = 6;

export interface Look<T> {
  readonly seen?: T;
  readonly checks: Check[];
}

export async function look<T>(
  side: string,
  path: string,
  work: ReportingWork,
  see: () => Promise<T>,
): Promise<Look<T>> {
  try {
    return { seen: await see(), checks: [] };
  } catch (error) {
    return { checks: [asCheck(side, path, work, error)] };
  }
}

/** Who asks: whether it may be asked again, and whether it still wants to know. */
type Asking = Pick<ReportingWork, 'signal' | 'attempt'>;

export async function ask(side: string, path: string, work: Asking, see: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await see();
  } catch (error) {
    return [asCheck(side, path, work, error)];
  }
}

/** Only what the world itself says becomes a check; a fault of ours (or a cancel) stays an error. */
function asCheck(side: string, path: string, { signal, attempt }: Asking, error: unknown): Check {
  signal.throwIfAborted();
  if (!(error instanceof Failure) || error.kind === 'Defect') throw error;
  if (error.busy && attempt < lastPatientAttempt) throw error;
  const again = `It said nothing else ${attempt} times in a row: find out what keeps it busy, and ask again later.`;
  const remedy = error.busy ? again : error.hint;
  return { id: `${side}-observed`, verdict: 'refuse', subject: path, seen: error.message, remedy };
}
