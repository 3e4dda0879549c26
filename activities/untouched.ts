/**
 * Tells of a step that failed that it has changed nothing, so that the story need not reckon with what it might have done.
 * Rule: only what is certain is told. Whoever changes a world asks `mayChange` right before; and of an attempt before this
 * one nothing is known, because its answer may have been lost after it changed something.
 */
import { Failure } from '../model/failure.ts';
import type { ReportingWork } from './attempt.ts';

/** Rethrows what `act` throws; a `Failure` of the first attempt, none of whose calls can have changed anything, as `untouched`. */
export async function tellingUntouched<T>(work: ReportingWork, act: (work: ReportingWork) => Promise<T>): Promise<T> {
  const first = work.attempt === 1 && work.earlier === undefined && !work.again;
  /** Calls that were not answered with a no. */
  let changes = 0;
  const mayChange = (): void => {
    changes++;
    work.mayChange();
  };
  const changedNothing = (): void => {
    changes--;
  };
  try {
    return await act({ ...work, mayChange, changedNothing });
  } catch (error) {
    throw first && changes === 0 && error instanceof Failure ? error.asUntouched() : error;
  }
}
