/**
 * The types of host-tools.mjs, for the lab's TypeScript.
 * Rule: it says no more than what the lab uses.
 * Never drifts from the functions beside it: both are changed together.
 */

/** The tool's path, also when it lies in a folder for administrators that is not on PATH; undefined when it is not installed. */
export declare function hostTool(name: string): string | undefined;

/** Optional tools that are not installed, as "name (package …)". */
export declare function missingOptionalTools(): string[];
