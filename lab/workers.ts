/**
 * Homeward's own processes in a lab: the control worker and the mover, as an operator would run them.
 * Rule: they are given the lab's inventory and nothing else; a kill here is a real -9.
 */
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { moverId } from './inventory-file.ts';
import { nodeFlags } from './node-flags.ts';

export type WorkerName = 'control' | 'mover';

export interface LabWorkers {
  running(name: WorkerName): boolean;
  /** The worker's own process id, for a signal of one's own. */
  pid(name: WorkerName): number;
  /** SIGKILL, as a crash; returns when it is gone. */
  kill(name: WorkerName): Promise<void>;
  /** Starts it again, after a kill or while it runs (then it is stopped first). */
  restart(name: WorkerName): Promise<void>;
  stop(): Promise<void>;
  logFile(name: WorkerName): string;
}

const entries: Readonly<Record<WorkerName, { file: string; args: readonly string[] }>> = {
  control: { file: 'workers/control.ts', args: [] },
  mover: { file: 'workers/mover.ts', args: ['--id', moverId] },
};
const project = join(import.meta.dirname, '..');
const entryOf = (name: WorkerName): string => join(project, entries[name].file);

/** Waits for both; when one could not start, the other is stopped and the first problem is thrown. */
async function bothOrNone(one: Promise<Child>, other: Promise<Child>): Promise<[Child, Child]> {
  try {
    return await Promise.all([one, other]);
  } catch (error) {
    for (const each of await Promise.allSettled([one, other])) if (each.status === 'fulfilled') await each.value.stop();
    throw error;
  }
}

export interface WorkersPlan {
  /** The lab's folder, for the logs. */
  readonly folder: string;
  /** Path of homeward.yaml. */
  readonly config: string;
  readonly env?: NodeJS.ProcessEnv;
}

export async function startWorkers(plan: WorkersPlan): Promise<LabWorkers> {
  const start = (name: WorkerName): Promise<Child> =>
    startChild({
      name: `worker-${name}`,
      program: process.execPath,
      args: [...nodeFlags(entries[name].file), entryOf(name), '--config', plan.config, ...entries[name].args],
      logFolder: plan.folder,
      ready: { lineWith: 'ready' },
      ...(plan.env === undefined ? {} : { env: plan.env }),
    });
  const [control, mover] = await bothOrNone(start('control'), start('mover'));
  const children: Record<WorkerName, Child> = { control, mover };
  return {
    running: (name) => children[name].running(),
    pid: (name) => children[name].pid,
    kill: (name) => children[name].kill(),
    async restart(name) {
      await children[name].stop();
      children[name] = await start(name);
    },
    async stop() {
      await Promise.all([children.control.stop(), children.mover.stop()]);
    },
    logFile: (name) => children[name].logFile,
  };
}
