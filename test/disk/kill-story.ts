/**
 * The story the kill test tells: a full copy, a delta and a seal of one disk whose bytes are computed, not stored.
 * Rule: child and test share it, so that the one continues exactly what the other began. Here is also what makes
 * the child kill itself, by SIGKILL, at the stop it was given. Never cleans up: that is the point.
 */
import fs, { appendFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import { sealDisk, type TargetDiskOptions, transferDisk } from '../../disk/target-disk.ts';
import { data, mib, patternBytes, zero } from './workbench.ts';

export const storySize = 80 * mib + 512;
export const stages = ['p0', 'p1', 'seal'] as const;
export type Stage = (typeof stages)[number];

/** Small ones, a block each: what a kill leaves half written of them must be sent whole. */
const scattered = Array.from({ length: 9 }, (_, at): Extent => data((32 + 4 * at) * mib + 3584, 4096));
const changes: readonly Extent[] = [
  data(0, 4096),
  data(3 * mib, 9 * mib),
  zero(20 * mib, 10 * mib),
  ...scattered,
  data(70 * mib + 512, mib),
];

/** Fills with the bytes of a point: `p1` is `p0` with the changes on top. */
export function storyBytes(point: 'p0' | 'p1', offset: number, into: Uint8Array): void {
  const from = offset - (offset % 16);
  const space = new Uint8Array(into.byteLength + (offset - from));
  patternBytes(1, from, space);
  into.set(space.subarray(offset - from));
  if (point === 'p0') return;
  for (const change of changes) {
    const start = Math.max(offset, change.offset);
    const end = Math.min(offset + into.byteLength, change.offset + change.length);
    if (start >= end) continue;
    const view = into.subarray(start - offset, end - offset);
    if (change.kind === 'zero') view.fill(0);
    else for (let index = 0; index < view.byteLength; index++) view[index] = (view[index] ?? 0) ^ 0x5a;
  }
}

class StoryPoint implements PointReader {
  readonly sizeBytes = storySize;
  private readonly stage: Stage;
  private readonly heard: (line: string) => void;
  constructor(stage: Stage, heard: (line: string) => void) {
    this.stage = stage;
    this.heard = heard;
  }
  async *changes(): AsyncGenerator<Extent> {
    if (this.stage === 'p0') yield data(0, storySize);
    else yield* changes;
  }
  async read(offset: number, into: Uint8Array): Promise<void> {
    storyBytes(this.stage === 'p0' ? 'p0' : 'p1', offset, into);
    this.heard(`${this.stage} ${offset} ${into.byteLength}`);
  }
  async close(): Promise<void> {
    await Promise.resolve();
  }
}

/** Plays one stage; safe to play again. Returns what it says it resumed. */
export async function playStage(
  stage: Stage,
  options: TargetDiskOptions,
  heard: (line: string) => void,
): Promise<number> {
  const source = new StoryPoint(stage, heard);
  const work = { ...options, source, signal: new AbortController().signal, report: () => undefined };
  if (stage === 'p0') return (await transferDisk({ ...work, point: 'p0' })).resumedBytes;
  if (stage === 'p1') return (await transferDisk({ ...work, point: 'p1', base: 'p0' })).resumedBytes;
  await sealDisk({ ...work, point: 'p1' });
  return 0;
}

export interface ChildOrder {
  readonly options: TargetDiskOptions;
  /** The number of the durable operation to die at; 0: never. */
  readonly stopAt: number;
  readonly how: 'before' | 'torn' | 'after';
  /** One line for every read and for every stage that ended. */
  readonly log: string;
}

type Call = (...args: unknown[]) => Promise<unknown>;

/** Counts everything that changes a disk and dies at the right one; torn: half of it is done first. */
async function armKill({ stopAt, how }: ChildOrder): Promise<() => number> {
  let count = 0;
  const wrap = (original: Call, half: (args: unknown[]) => unknown[] | undefined): Call =>
    async function (this: unknown, ...args) {
      const mine = ++count === stopAt;
      const torn = mine && how === 'torn' ? half(args) : undefined;
      if (mine && (how === 'before' || torn !== undefined)) {
        if (torn !== undefined) await original.apply(this, torn);
        process.kill(process.pid, 'SIGKILL');
      }
      const result = await original.apply(this, args);
      if (mine) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  const probe = await open(process.execPath);
  const handles = Object.getPrototypeOf(probe) as Record<keyof FileHandle, Call>;
  await probe.close();
  // A sector is written whole or not at all; everything longer may be torn at any sector.
  handles.write = wrap(handles.write, ([bytes, from, length, at]) =>
    Number(length) > 512 ? [bytes, from, Math.floor(Number(length) / 1024) * 512, at] : undefined,
  );
  handles.appendFile = wrap(handles.appendFile, ([text]) =>
    typeof text === 'string' ? [text.slice(0, Math.floor(text.length / 2))] : undefined,
  );
  for (const name of ['datasync', 'sync', 'truncate'] as const) handles[name] = wrap(handles[name], () => undefined);
  const promises = fs.promises as unknown as { rename: Call };
  promises.rename = wrap(promises.rename, () => undefined);
  syncBuiltinESMExports();
  return () => count;
}

/** Plays the whole story as the order says. */
export async function playToTheKill(order: ChildOrder): Promise<void> {
  const counted = await armKill(order);
  for (const stage of stages) {
    await playStage(stage, order.options, (line) => appendFileSync(order.log, `${line}\n`));
    appendFileSync(order.log, `done ${stage}\n`);
  }
  appendFileSync(order.log, `operations ${counted()}\n`);
}
