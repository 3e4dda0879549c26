/**
 * The types of programs.mjs, for the lab's TypeScript.
 * Rule: it says no more than what the lab uses.
 * Never drifts from the functions beside it: both are changed together.
 */
export type ProgramName = 'temporal' | 'vcenter';

export declare const programNames: readonly ProgramName[];

/** An absolute path of a program that can be run; it is built first when it is nowhere to be found. */
export declare function programPath(name: ProgramName): Promise<string>;
