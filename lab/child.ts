/**
 * Starts one program of the lab under the watchdog, waits until it says it is ready, and ends it again.
 * Rule: a program never outlives the lab, however the lab ends; what it prints goes to a log file of its own.
 * Never looks a process up by name; a program that ends before it was ready is an error with its last words.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildPlan {
  /** Short name for messages and the log file. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logFolder: string;
  readonly env?: NodeJS.ProcessEnv;
  /** How readiness is known: a JSON line on standard output that has this key, or a question asked until it is answered. */
  readonly ready: { readonly lineWith: string } | (() => Promise<boolean>);
  readonly readyWithinMs?: number;
}

export interface Child {
  readonly name: string;
  /** The program's own process id (not the watchdog's). */
  readonly pid: number;
  /** What the ready line said; an empty object for programs that are asked. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly logFile: string;
  /** Resolves when the program has ended, for whatever reason. */
  readonly ended: Promise<void>;
  running(): boolean;
  /** SIGTERM, after five seconds SIGKILL; returns when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL at once, as a crash; returns when it is gone. */
  kill(): Promise<void>;
}

const watchdog = join(import.meta.dirname, 'watchdog.ts');
const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const each of started) each.kill('SIGTERM');
});

/** The last lines of a log, for the error message of a program that did not come up. */
async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-12).join('\n') || '(it said nothing)';
}

const jsonOf = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

interface Words {
  readonly pid: Promise<number>;
  readonly ready: Promise<Record<string, unknown>>;
}

/** Reads the program's standard output: the watchdog's line, the ready line, and the rest into the log. */
function listen(process_: ChildProcess, log: NodeJS.WritableStream, readyKey: string | undefined): Words {
  const pid = Promise.withResolvers<number>();
  const ready = Promise.withResolvers<Record<string, unknown>>();
  if (process_.stdout === null || process_.stderr === null) throw new Error('a child without pipes');
  process_.stderr.pipe(log, { end: false });
  createInterface({ input: process_.stdout }).on('line', (line) => {
    const said = jsonOf(line);
    if (said?.watchdog === true) pid.resolve(Number(said.pid));
    else {
      log.write(`${line}\n`);
      if (said !== undefined && readyKey !== undefined && readyKey in said) ready.resolve(said);
    }
  });
  return { pid: pid.promise, ready: ready.promise };
}

async function answered(ask: () => Promise<boolean>, given: AbortSignal): Promise<Record<string, unknown>> {
  while (!given.aborted && !(await ask().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50));
  return {};
}

/** Starts the program and returns when it is ready. */
export async function startChild(plan: ChildPlan): Promise<Child> {
  const logFile = join(plan.logFolder, `${plan.name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  const parent = spawn(process.execPath, [watchdog, plan.program, ...plan.args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...plan.env },
  });
  started.add(parent);
  const ended = once(parent, 'exit').then(() => {
    started.delete(parent);
    log.end();
  });
  // Writing to a program that has just ended is no error of ours.
  parent.stdin?.on('error', () => undefined);
  const ask = typeof plan.ready === 'function' ? plan.ready : undefined;
  const words = listen(parent, log, typeof plan.ready === 'function' ? undefined : plan.ready.lineWith);
  const stop = async (): Promise<void> => {
    parent.stdin?.end();
    await ended;
  };
  const deadline = new AbortController();
  const tooLate = new Promise<'late'>((resolve) => {
    const timer = setTimeout(() => resolve('late'), plan.readyWithinMs ?? 90_000);
    deadline.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const ready = ask === undefined ? words.ready : answered(ask, deadline.signal);
  const outcome = await Promise.race([Promise.all([words.pid, ready]), ended.then(() => 'ended' as const), tooLate]);
  deadline.abort();
  if (typeof outcome === 'string') {
    await stop();
    const what = outcome === 'late' ? 'was not ready in time' : 'ended before it was ready';
    throw new Error(`${plan.name} ${what}. Its last words (${logFile}):\n${await lastWords(logFile)}`);
  }
  const [pid, said] = outcome;
  return {
    name: plan.name,
    pid,
    said,
    logFile,
    ended,
    running: () => started.has(parent),
    stop,
    async kill() {
      if (started.has(parent)) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}
