/**
 * The types of programs.mjs, for the TypeScript of the lab and the bench.
 * Rule: it says no more than what they use.
 * Never drifts from the functions beside it: both are changed together.
 */
export type ProgramName = 'temporal' | 'vcenter' | 'bench';

export declare const programNames: readonly ProgramName[];

/** An absolute path of a program that can be run; it is built first when it is nowhere to be found. */
export declare function programPath(name: ProgramName): Promise<string>;
