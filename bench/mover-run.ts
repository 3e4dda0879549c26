/**
 * A mover process of the bench: started once, asked step by step, ended.
 * Rule: a mover that fails fails the bench, with its last words; no figure comes from a copy that did not end well.
 * Time, CPU and memory are what the process itself counted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TransferInput } from '../activities/transfer.ts';
import { processOptions } from '../setup/process-options.mjs';

export interface Step {
  /** `bare` proves nothing. */
  readonly verb: 'transfer' | 'seal' | 'bare';
  /** Done at once. */
  readonly inputs: readonly TransferInput[];
}

export interface StepAnswer {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
  /** Of the process since it was started, in MiB. */
  readonly peakMiB: number;
}

export interface Ready {
  readonly startSeconds: number;
  readonly startCpuSeconds: number;
  /** What it holds before it has copied anything, in MiB. */
  readonly startMiB: number;
}

export class Mover {
  readonly ready: Ready;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly words: () => string;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, words: () => string, ready: Ready) {
    this.child = child;
    this.lines = lines;
    this.words = words;
    this.ready = ready;
  }

  /** `config`: path of homeward.yaml. Returns when the mover could take work. */
  static async start(config: string): Promise<Mover> {
    const { file, flags, env } = await processOptions('bench/mover-process.ts', process.execPath, console.warn);
    const child = spawn(process.execPath, [...flags, file, config], {
      env: { ...env, ...process.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let words = '';
    child.stderr.on('data', (text: Buffer) => {
      words = (words + text.toString()).slice(-4_000);
    });
    // A mover that has just died is noticed by its silence.
    child.stdin.on('error', () => undefined);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new Mover(child, lines, () => words, await answer<Ready>(child, lines, () => words));
  }

  async do(verb: Step['verb'], inputs: readonly TransferInput[]): Promise<StepAnswer> {
    const step: Step = { verb, inputs };
    this.child.stdin?.write(`${JSON.stringify(step)}\n`);
    return answer<StepAnswer>(this.child, this.lines, this.words);
  }

  /** Safe twice. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}

async function answer<T>(child: ChildProcess, lines: AsyncIterator<string>, words: () => string): Promise<T> {
  for (;;) {
    const { value, done } = await lines.next();
    if (!done && value.startsWith('{')) return JSON.parse(value) as T;
    if (!done) continue;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    throw new Error(`the mover ended with ${child.exitCode ?? child.signalCode}:\n${words()}`);
  }
}
