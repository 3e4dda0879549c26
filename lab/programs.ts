/**
 * Where the lab's programs are: Temporal's server and the vCenter simulator.
 * Rule: it asks the project's set-up, which finds, builds or fetches them; nothing is searched for here.
 * It asks in a process of its own, because tests run as CommonJS and the set-up is made of ES modules.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export interface Programs {
  readonly temporal: string;
  readonly vcenter: string;
}

const setup = pathToFileURL(join(import.meta.dirname, '../setup/programs.mjs')).href;
const question = `
  import { programPath } from ${JSON.stringify(setup)};
  const [temporal, vcenter] = [await programPath('temporal'), await programPath('vcenter')];
  console.log(JSON.stringify({ temporal, vcenter }));
`;

let asked: Promise<Programs> | undefined;

async function ask(): Promise<Programs> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', question]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Programs;
}

/** The paths of both programs; the first call may build them. */
export function findPrograms(): Promise<Programs> {
  asked ??= ask();
  return asked;
}
