/**
 * The two command lines an operator has, as processes of their own: `homeward`, and Temporal's plain CLI.
 * Rule: they get the lab's inventory and address and nothing else, and no terminal.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Lab } from '../../lab/lab.ts';
import { findPrograms } from '../../lab/programs.ts';

const program = join(__dirname, '..', '..', 'client', 'homeward.ts');
const patienceMs = 90_000;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The process of the tests points at the lab already (lab/own-temporal.ts); its options for node are its own. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _ours, FORCE_COLOR: _colour, ...env } = process.env;
  return { ...env, NO_COLOR: '1' };
}

function run(file: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env: { ...environment(), ...more }, timeout: patienceMs, maxBuffer: 64 << 20 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

const words = ({ config }: Pick<Lab, 'config'>): string[] => [
  ...['--disable-warning=ExperimentalWarning', program, '--config', config],
];

/** `homeward --config <the lab's> …` */
export const homeward = (lab: Pick<Lab, 'config'>, ...args: string[]): Promise<Ended> =>
  run(process.execPath, [...words(lab), ...args]);

/** The same with an environment that is wrong in one variable. */
export const homewardWith = (more: NodeJS.ProcessEnv, lab: Pick<Lab, 'config'>, ...args: string[]): Promise<Ended> =>
  run(process.execPath, [...words(lab), ...args], more);

/** The same, left in the middle: once it has said something on stdout, `leave` is done to it. */
export async function homewardLeft(
  lab: Pick<Lab, 'config'>,
  args: readonly string[],
  leave: (child: ChildProcessByStdio<null, Readable, Readable>) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [...words(lab), ...args], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  child.stdout.once('data', () => leave(child));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, ...said };
}

/** `temporal … --address <the lab's>` */
export async function temporal(lab: Pick<Lab, 'temporal'>, ...args: string[]): Promise<Ended> {
  const programs = await findPrograms();
  return await run(programs.temporal, [...args, '--address', lab.temporal.address]);
}
