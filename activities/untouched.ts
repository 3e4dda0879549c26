/**
 * Tells of a step that failed that it has changed nothing, so that the story need not reckon with what it might have done.
 * Rule: only what is certain is told. Whoever changes a world asks `mayChange` right before; and of an attempt before this
 * one nothing is known, because its answer may have been lost after it changed something.
 */
import { Failure } from '../model/failure.ts';
import type { ReportingWork } from './attempt.ts';

/** Rethrows what `act` throws; a `Failure` of the first attempt before its first change as `untouched`. */
export async function tellingUntouched<T>(work: ReportingWork, act: (work: ReportingWork) => Promise<T>): Promise<T> {
  let untouched = work.attempt === 1 && work.earlier === undefined;
  const mayChange = (): void => {
    untouched = false;
    work.mayChange();
  };
  try {
    return await act({ ...work, mayChange });
  } catch (error) {
    throw untouched && error instanceof Failure ? error.asUntouched() : error;
  }
}
