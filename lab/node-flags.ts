/**
 * With which options of Node a process of Homeward is started: those of the set-up, which starts them for everyone else.
 * Rule: one list for the set-up, the lab and the bench, so that what is measured is what is run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const listed = JSON.parse(readFileSync(join(import.meta.dirname, '../setup/node-flags.json'), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

/** `entry`: path within the project, `workers/mover.ts`. */
export const nodeFlags = (entry: string): string[] => [...(listed.always ?? []), ...(listed[entry] ?? [])];
