/**
 * How the lab starts Homeward's own processes: as the project's set-up starts them (setup/process-options.mjs).
 * Rule: it asks in a process of its own, because tests run as CommonJS and the set-up is made of ES modules; and each time,
 * because a bundle may have been made anew.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { ProcessOptions } from '../setup/process-options.mjs';

const setup = pathToFileURL(join(import.meta.dirname, '../setup/process-options.mjs')).href;
const question = (entry: string): string => `
  import { processOptions } from ${JSON.stringify(setup)};
  const options = await processOptions(${JSON.stringify(entry)}, process.execPath, console.warn);
  console.log(JSON.stringify(options));
`;

/** `entry` within the project, on the Node that runs the lab. */
export async function processOptions(entry: string): Promise<ProcessOptions> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    question(entry),
  ]);
  if (stderr !== '') console.warn(stderr.trimEnd());
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ProcessOptions;
}
