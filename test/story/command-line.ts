/**
 * The two command lines an operator has, as processes of their own: `homeward`, and Temporal's plain CLI.
 * Rule: they get the lab's inventory and address and nothing else, and no terminal.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Lab } from '../../lab/lab.ts';
import { findPrograms } from '../../lab/programs.ts';

const program = join(__dirname, '..', '..', 'client', 'homeward.ts');
const patienceMs = 90_000;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(file: string, args: readonly string[]): Promise<Ended> {
  // The process of the tests points at the lab already (lab/own-temporal.ts); its options for node are its own.
  const { NODE_OPTIONS: _ours, FORCE_COLOR: _colour, ...env } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env: { ...env, NO_COLOR: '1' }, timeout: patienceMs, maxBuffer: 64 << 20 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** `homeward --config <the lab's> …` */
export const homeward = (lab: Pick<Lab, 'config'>, ...args: string[]): Promise<Ended> =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', program, '--config', lab.config, ...args]);

/** `temporal … --address <the lab's>` */
export async function temporal(lab: Pick<Lab, 'temporal'>, ...args: string[]): Promise<Ended> {
  const programs = await findPrograms();
  return await run(programs.temporal, [...args, '--address', lab.temporal.address]);
}
