/**
 * The types of node-flags.mjs, for the lab's and the bench's TypeScript.
 * Rule: it says no more than what they use.
 * Never drifts from the function beside it: both are changed together.
 */

/** With which options of Node the file `entry` is run. */
export declare function nodeFlags(entry: string): string[];
