/**
 * The types of places.mjs, for the bench's TypeScript.
 * Rule: it says no more than what is used.
 * Never drifts from the functions beside it: both are changed together.
 */

/** Folder of what all clones of this project on the machine share and can make again. */
export declare function cacheFolder(): string;
