/**
 * Homeward's own processes in a lab: the control worker and the mover, as an operator would run them.
 * Rule: they are given the lab's inventory and nothing else; a kill here is a real -9.
 */
import { type Child, startChild } from './child.ts';
import { moverIdOf } from './inventory-file.ts';
import { processOptions } from './process-options.ts';

/** `mover` is the first one; the others do not run until they are started. */
export type WorkerName = 'control' | 'mover' | `mover-${number}`;

export interface LabWorkers {
  running(name: WorkerName): boolean;
  /** The worker's own process id, for a signal of one's own. */
  pid(name: WorkerName): number;
  /** SIGKILL, as a crash; returns when it is gone. */
  kill(name: WorkerName): Promise<void>;
  /** Starts it, for the first time or again: after a kill or while it runs (then it is stopped first). */
  restart(name: WorkerName): Promise<void>;
  stop(): Promise<void>;
  logFile(name: WorkerName): string;
}

function entryOf(name: WorkerName): { entry: string; args: readonly string[] } {
  if (name === 'control') return { entry: 'workers/control.ts', args: [] };
  return { entry: 'workers/mover.ts', args: ['--id', name === 'mover' ? moverIdOf(1) : name] };
}

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
  const start = async (name: WorkerName): Promise<Child> => {
    const { entry, args } = entryOf(name);
    const { file, flags, env } = await processOptions(entry);
    return startChild({
      name: `worker-${name}`,
      program: process.execPath,
      args: [...flags, file, '--config', plan.config, ...args],
      logFolder: plan.folder,
      ready: { lineWith: 'ready' },
      env: { ...env, ...plan.env },
    });
  };
  const [control, mover] = await bothOrNone(start('control'), start('mover'));
  const children = new Map<WorkerName, Child>([
    ['control', control],
    ['mover', mover],
  ]);
  const started = (name: WorkerName): Child => {
    const child = children.get(name);
    if (child === undefined) throw new Error(`the worker ${name} was never started`);
    return child;
  };
  return {
    running: (name) => children.get(name)?.running() ?? false,
    pid: (name) => started(name).pid,
    kill: (name) => started(name).kill(),
    async restart(name) {
      await children.get(name)?.stop();
      children.set(name, await start(name));
    },
    async stop() {
      await Promise.all([...children.values()].map((child) => child.stop()));
    },
    logFile: (name) => started(name).logFile,
  };
}
