/**
 * What a kill needs around it: a story prepared up to each of its stages, and the child that plays one stage and dies.
 * Rule: a stage is prepared by playing what comes before it, once; every kill gets a copy of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallName } from './host-edge.ts';
import { type ChildOrder, type Stage, type StoryName, stages, stories, storyBytes } from './kill-story.ts';
import { fastFolder, patternImage, Workbench } from './workbench.ts';

/** Onto the old disk, or onto a new one beside it. */
export const ways = ['in-place', 'staged'] as const;
export type Way = (typeof ways)[number];

export interface Stop extends Pick<ChildOrder, 'stopAt' | 'how'> {
  readonly stage: Stage;
  readonly story: StoryName;
  readonly way: Way;
  /** What is called there in a run that nobody kills; in another run a neighbour of it may be. */
  readonly call?: CallName;
}

const program = join(__dirname, 'kill-child.ts');

export type Order = Pick<ChildOrder, 'story' | 'stage' | 'stopAt' | 'how'>;

export function orderFor(bench: Workbench, { story, stage, stopAt, how }: Order): ChildOrder {
  const { path, sizeBytes, stateDir, folder } = bench;
  const options = { path, sizeBytes, stateDir, disk: 'os', machine: 'erp', run: 'run-1' };
  return { options, story, stage, stopAt, how, log: join(folder, 'log') };
}

/** Most of a short child's life would go into reading the same sources again. */
export class Children {
  private readonly cache = mkdtempSync(join(tmpdir(), 'homeward-sources-'));

  /** Runs a child to its end or its death, under the words before it; answers the lines it left. */
  async run(bench: Workbench, stop: Order, under: readonly string[] = []): Promise<string[]> {
    const order = orderFor(bench, stop);
    const [command = '', ...args] = [...under, process.execPath, program, JSON.stringify(order)];
    const env = { ...process.env, NODE_COMPILE_CACHE: this.cache };
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (signal !== 'SIGKILL' && code !== 0) throw new Error(`the child ended with ${code ?? signal}`);
    // Killed before its first read, it left none.
    const lines = existsSync(order.log) ? readFileSync(order.log, 'utf8').trimEnd().split('\n') : [];
    rmSync(order.log, { force: true });
    return lines;
  }

  remove(): void {
    rmSync(this.cache, { recursive: true, force: true });
  }
}

export class PreparedStory {
  /** On the target before the first stage and after the last one. */
  readonly stale: Buffer;
  readonly final: Buffer;
  /** Every stop there is, in the order of the story, dying before the call. */
  readonly stops: Stop[] = [];
  private readonly found = new Map<Stage, Workbench>();

  private constructor(story: StoryName, way: Way) {
    const { sizeBytes } = stories[story];
    this.stale = way === 'staged' ? Buffer.alloc(sizeBytes) : patternImage(9, sizeBytes);
    this.final = Buffer.alloc(sizeBytes);
    storyBytes(stories[story], 'p1', 0, this.final);
  }

  /** Plays the story once, counts what each stage does, and keeps the folder as it was before each of them. */
  static async play(story: StoryName, way: Way, children: Children): Promise<PreparedStory> {
    const prepared = new PreparedStory(story, way);
    const bench = new Workbench(way === 'staged' ? prepared.stale.byteLength : prepared.stale, fastFolder());
    for (const stage of stages) {
      prepared.found.set(stage, bench.copy());
      const stop: Stop = { story, way, stage, stopAt: 0, how: 'before' };
      const last = (await children.run(bench, stop)).at(-1) ?? '';
      const calls = (/^operations (.*)$/.exec(last)?.[1]?.split(' ') ?? []) as CallName[];
      for (const [index, call] of calls.entries()) prepared.stops.push({ ...stop, stopAt: index + 1, call });
    }
    const equal = bench.content().equals(prepared.final);
    bench.remove();
    if (equal) return prepared;
    prepared.remove();
    throw new Error(`the story ${story} does not even end well when nobody is killed`);
  }

  /** The disk and its record as this stage finds them. */
  before(stage: Stage): Workbench {
    const found = this.found.get(stage);
    if (found === undefined) throw new RangeError(`${stage} was not prepared`);
    return found.copy();
  }

  remove(): void {
    for (const bench of this.found.values()) bench.remove();
  }
}
