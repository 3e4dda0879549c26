/**
 * What the boot test copies: a full copy of one image over another, a round of changes, and the seal, each with the
 * engine's own calls. Rule: child and test share it, so that the one can finish what the other left open.
 * A copy told to stop dies by SIGKILL in the middle of one write. Never cleans up: that is the point.
 */
import { appendFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import { sealDisk, type TargetDiskOptions, transferDisk } from '../../disk/target-disk.ts';

export const stages = ['full', 'round', 'seal'] as const;
export type Stage = (typeof stages)[number];

export interface CopyOrder {
  readonly options: TargetDiskOptions;
  /** Raw images of the machine's disk: at the first point, and after the changes. */
  readonly first: string;
  readonly changed: string;
  readonly changes: readonly Extent[];
  /** The write to die in, counted from 1 in its stage. */
  readonly stop?: { readonly stage: Stage; readonly write: number };
  /** One line for each write: stage, offset and length. */
  readonly log: string;
}

class FilePoint implements PointReader {
  readonly sizeBytes: number;
  private readonly file: FileHandle;
  private readonly extents: readonly Extent[];
  constructor(file: FileHandle, sizeBytes: number, extents: readonly Extent[]) {
    this.file = file;
    this.sizeBytes = sizeBytes;
    this.extents = extents;
  }
  async *changes(): AsyncGenerator<Extent> {
    yield* this.extents;
  }
  async read(offset: number, into: Uint8Array): Promise<void> {
    const { bytesRead } = await this.file.read(into, 0, into.byteLength, offset);
    if (bytesRead !== into.byteLength) throw new Error(`the image ended at ${offset + bytesRead}`);
  }
  close(): Promise<void> {
    return this.file.close();
  }
}

async function playStage(stage: Stage, order: CopyOrder): Promise<void> {
  const { options, first, changed, changes } = order;
  const { sizeBytes } = options;
  const everything: Extent = { kind: 'data', offset: 0, length: sizeBytes };
  const file = await open(stage === 'full' ? first : changed);
  const source = new FilePoint(file, sizeBytes, stage === 'full' ? [everything] : changes);
  const work = { ...options, source, signal: new AbortController().signal, report: () => undefined };
  try {
    if (stage === 'full') await transferDisk({ ...work, point: 'first' });
    else if (stage === 'round') await transferDisk({ ...work, point: 'changed', base: 'first' });
    else await sealDisk({ ...work, openSource: async () => source, point: 'changed' });
  } finally {
    await source.close();
  }
}

type Write = (bytes: Uint8Array, from: number, length: number, at: number) => Promise<unknown>;

/** Plays every stage and dies where the order says. Only for a process of its own: it changes what a write is. */
export async function playToTheStop(order: CopyOrder): Promise<void> {
  let now: Stage = 'full';
  let writes = 0;
  const probe = await open(process.execPath);
  const handles = Object.getPrototypeOf(probe) as { write: Write };
  await probe.close();
  const original = handles.write;
  handles.write = async function (bytes, from, length, at) {
    writes += 1;
    appendFileSync(order.log, `${now} ${at} ${length}\n`);
    if (now === order.stop?.stage && writes === order.stop.write) {
      // A sector is written whole or not at all; everything longer may be torn at any sector.
      if (length > 512) await original.call(this, bytes, from, Math.floor(length / 1024) * 512, at);
      process.kill(process.pid, 'SIGKILL');
    }
    return original.call(this, bytes, from, length, at);
  };
  for (const stage of stages) {
    now = stage;
    writes = 0;
    await playStage(stage, order);
  }
}
