/**
 * With which options of Node, and which variables, a process of Homeward is started: those of the set-up, which starts them
 * for everyone else.
 * Rule: one list for the set-up, the lab and the bench, so that what is measured is what is run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Listed {
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const listed = JSON.parse(readFileSync(join(import.meta.dirname, '../setup/process-options.json'), 'utf8')) as Readonly<
  Record<string, Listed>
>;

export interface ProcessOptions {
  readonly flags: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `entry`: path within the project, `workers/mover.ts`. */
export function processOptions(entry: string): ProcessOptions {
  const [always, own] = [listed.always, listed[entry]];
  return { flags: [...(always?.node ?? []), ...(own?.node ?? [])], env: { ...always?.env, ...own?.env } };
}
