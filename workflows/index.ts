/** The workflows a control worker registers. */
export { failback } from './failback.ts';
export { keptSnapshots } from './kept-snapshots.ts';
export { limits } from './limits.ts';
export { preflight } from './preflight.ts';
export { syncRounds } from './sync-rounds.ts';
