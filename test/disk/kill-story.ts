/**
 * The stories the kill test tells: a full copy, a delta and a seal of one disk whose bytes are computed, not stored.
 * Rule: child and test share them, so that the one continues exactly what the other began. Here is also what makes
 * the child kill itself, by SIGKILL, at the stop it was given. Never cleans up: that is the point.
 */
import { appendFileSync } from 'node:fs';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import { sealDisk, type TargetDiskOptions, transferDisk } from '../../disk/target-disk.ts';
import { type CallName, changes as changesTheDisk, type HostCall, watchHost } from './host-edge.ts';
import { data, mib, patternBytes, zero } from './workbench.ts';

export const stages = ['p0', 'p1', 'seal'] as const;
export type Stage = (typeof stages)[number];
/** After the seal and the use that follows it: back to `p0`, by what changed between the two. */
export const stagesAfterUse = ['another', 'reseal'] as const;
export type AnyStage = Stage | (typeof stagesAfterUse)[number];

export interface Story {
  readonly sizeBytes: number;
  /** Of `p1` since `p0`. */
  readonly changes: readonly Extent[];
}

/** Small changes, a block each: what a kill leaves half written of them must be sent whole. */
const scattered = (from: number, count: number): Extent[] =>
  Array.from({ length: count }, (_, at) => data(from + 4 * at * mib + 3584, 4096));

/** `small`: cheap enough for many stops. `windows`: as little as has two windows. `long`: more than L2 lets be sent again. */
export const stories = {
  small: {
    sizeBytes: 6 * mib + 512,
    changes: [
      data(0, 4096),
      data(2 * mib - 512, 4096),
      zero(3 * mib, mib),
      data(4 * mib, 8192),
      zero(5 * mib, 512),
      data(6 * mib, 512),
    ],
  },
  windows: {
    sizeBytes: 17 * mib + 512,
    changes: [
      data(0, 4096),
      data(3 * mib, 2 * mib),
      zero(8 * mib, 4 * mib),
      ...scattered(12 * mib, 1),
      data(15 * mib + 512, mib),
    ],
  },
  long: {
    sizeBytes: 72 * mib + 512,
    changes: [
      data(0, 4096),
      data(3 * mib, 9 * mib),
      zero(20 * mib, 10 * mib),
      ...scattered(32 * mib, 8),
      data(66 * mib + 512, mib),
    ],
  },
} as const satisfies Record<string, Story>;
export type StoryName = keyof typeof stories;

/** Fills with the bytes of a point: `p1` is `p0` with the changes on top. */
export function storyBytes(story: Story, point: 'p0' | 'p1', offset: number, into: Uint8Array): void {
  patternBytes(1, offset, into);
  if (point === 'p0') return;
  for (const change of story.changes) {
    const start = Math.max(offset, change.offset);
    const end = Math.min(offset + into.byteLength, change.offset + change.length);
    if (start >= end) continue;
    const view = into.subarray(start - offset, end - offset);
    if (change.kind === 'zero') view.fill(0);
    else patternBytes(2, start, view);
  }
}

const asData = (changes: readonly Extent[]): Extent[] => changes.map(({ offset, length }) => data(offset, length));

class StoryPoint implements PointReader {
  readonly sizeBytes: number;
  private readonly story: Story;
  private readonly stage: AnyStage;
  private readonly heard: (line: string) => void;
  constructor(story: Story, stage: AnyStage, heard: (line: string) => void) {
    this.sizeBytes = story.sizeBytes;
    this.story = story;
    this.stage = stage;
    this.heard = heard;
  }
  async *changes(): AsyncGenerator<Extent> {
    if (this.stage === 'p0') yield data(0, this.sizeBytes);
    else yield* this.stage === 'another' ? asData(this.story.changes) : this.story.changes;
  }
  async read(offset: number, into: Uint8Array): Promise<void> {
    storyBytes(this.story, this.stage === 'p1' || this.stage === 'seal' ? 'p1' : 'p0', offset, into);
    this.heard(`${this.stage} ${offset} ${into.byteLength}`);
  }
  async close(): Promise<void> {
    await Promise.resolve();
  }
}

/** Plays one stage; safe to play again. Returns what it says it resumed. */
export async function playStage(
  story: Story,
  stage: AnyStage,
  options: TargetDiskOptions,
  heard: (line: string) => void,
): Promise<number> {
  const source = new StoryPoint(story, stage, heard);
  const work = { ...options, source, signal: new AbortController().signal, report: () => undefined };
  if (stage === 'p0') return (await transferDisk({ ...work, point: 'p0' })).resumedBytes;
  if (stage === 'p1') return (await transferDisk({ ...work, point: 'p1', base: 'p0' })).resumedBytes;
  if (stage === 'another') return (await transferDisk({ ...work, point: 'p0', base: 'p1', uses: 1 })).resumedBytes;
  const openSource = async () => source;
  await sealDisk({ ...work, openSource, point: stage === 'seal' ? 'p1' : 'p0' });
  return 0;
}

export const hows = ['before', 'torn', 'after'] as const;

export interface ChildOrder {
  readonly options: TargetDiskOptions;
  readonly story: StoryName;
  /** The one stage to play. */
  readonly stage: AnyStage;
  /** The number of the changing call to die at; 0: never. */
  readonly stopAt: number;
  readonly how: (typeof hows)[number];
  /** One line for every read, and one with the names of all changing calls when the stage ended. */
  readonly log: string;
}

/** How much of a call a torn one does: a sector is written whole or not at all, a file can end anywhere. */
export function tornBytes({ name, length }: HostCall): number {
  if (name === 'write' || name === 'punch') return length > 512 ? Math.floor(length / 1024) * 512 : 0;
  return Math.floor(length / 2);
}

const die = (): boolean => process.kill(process.pid, 'SIGKILL');

/** Plays one stage as the order says; dies by its own hand, in the middle of the system's work. */
export async function playToTheKill({ options, story, stage, stopAt, how, log }: ChildOrder): Promise<void> {
  const names: CallName[] = [];
  await watchHost(async (call) => {
    if (!changesTheDisk(call) || names.push(call.name) !== stopAt) return call.all();
    if (how === 'torn' && tornBytes(call) > 0) await call.first(tornBytes(call));
    if (how !== 'after') die();
    const answer = await call.all();
    die();
    return answer;
  });
  await playStage(stories[story], stage, options, (line) => appendFileSync(log, `${line}\n`));
  appendFileSync(log, `operations ${names.join(' ')}\n`);
}
