/**
 * Which story tests belong to every run and which to the long one: `npm run test:faults` (HOMEWARD_FAULTS=all) runs all.
 * Rule: a test left out of a run is counted as skipped, never silently missing.
 */
export const everyFault = process.env.HOMEWARD_FAULTS === 'all';

/** A test of the long run only. */
export const thorough = everyFault ? test : test.skip;
