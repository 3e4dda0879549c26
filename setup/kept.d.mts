/**
 * The types of kept.mjs, for the TypeScript of the workers.
 * Rule: it says no more than what they use.
 * Never drifts from the functions beside it: both are changed together.
 */

/** A digest of all packages, and of our sources in `folders`; both as paths in the project. */
export declare function digestOf(folders: readonly string[], files?: readonly string[]): Promise<string>;

/** Awaited between making and keeping. Throws when `digest` is no longer that of the sources. */
export declare function refuseMixed(
  digest: string,
  folders: readonly string[],
  files?: readonly string[],
): Promise<void>;

/** Removes all but the newest `count` of a folder. */
export declare function keepNewest(of: string, count: number): Promise<void>;
