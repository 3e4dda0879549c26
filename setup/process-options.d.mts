/**
 * The types of process-options.mjs, for the TypeScript of the lab and the bench.
 * Rule: it says no more than what they use.
 * Never drifts from the functions beside it: both are changed together.
 */
export interface ProcessOptions {
  /** What Node is given to run. */
  readonly file: string;
  readonly flags: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `node`: the Node it will run on; `warn` hears why a program runs from its sources that should not. */
export declare function processOptions(
  entry: string,
  node: string,
  warn: (text: string) => void,
): Promise<ProcessOptions>;
