/**
 * The types of parents.mjs, for the lab's TypeScript.
 * Rule: it says no more than what is used.
 * Never drifts from the functions beside it: both are changed together.
 */

/** Calls `gone` once when the run.mjs that started this process has ended. */
export declare function onceStarterIsGone(gone: () => void): void;
