/**
 * What the disk tests stand on: a scratch folder with a target file, sources that live in memory, and a way to say
 * "this call fails like that". Rule: a source here gives exactly the bytes of its image, or does what its hook says.
 * Never imitates a part of the engine.
 */
import { createCipheriv } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger, viewLedger } from '../../disk/ledger.ts';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import { stateFolder } from '../../disk/state-folder.ts';
import { sealDisk, transferDisk } from '../../disk/target-disk.ts';
import { Failure } from '../../model/failure.ts';
import type { SealProof, TransferProof } from '../../model/machine.ts';
import type { TransferProgress } from '../../model/progress.ts';

export const mib = 1024 * 1024;

const zeros = new Uint8Array(256 * 1024);

/** Bytes that look random, the same for the same seed and offset, at any offset that is a multiple of 16. */
export function patternBytes(seed: number, offset: number, into: Uint8Array): void {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(offset / 16), 8);
  const cipher = createCipheriv('aes-128-ctr', key, counter);
  for (let at = 0; at < into.byteLength; at += zeros.byteLength)
    into.set(cipher.update(zeros.subarray(0, into.byteLength - at)), at);
}

export function patternImage(seed: number, sizeBytes: number): Buffer {
  const image = Buffer.alloc(sizeBytes);
  patternBytes(seed, 0, image);
  return image;
}

export const data = (offset: number, length: number): Extent => ({ offset, length, kind: 'data' });
export const zero = (offset: number, length: number): Extent => ({ offset, length, kind: 'zero' });

/** A point whose bytes are an image in memory. `beforeRead` may throw, wait, or do something to the world. */
export class ImagePoint implements PointReader {
  readonly reads: { offset: number; length: number }[] = [];
  readonly sizeBytes: number;
  private readonly image: Buffer;
  private readonly extents: readonly Extent[];
  private readonly beforeRead: (offset: number, signal: AbortSignal) => void | Promise<void>;

  constructor(
    image: Buffer,
    extents: readonly Extent[] = [data(0, image.byteLength)],
    beforeRead: (offset: number, signal: AbortSignal) => void | Promise<void> = () => undefined,
  ) {
    this.sizeBytes = image.byteLength;
    this.image = image;
    this.extents = extents;
    this.beforeRead = beforeRead;
  }

  async *changes(): AsyncGenerator<Extent> {
    yield* this.extents;
  }

  async read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.beforeRead(offset, signal);
    into.set(this.image.subarray(offset, offset + into.byteLength));
    this.reads.push({ offset, length: into.byteLength });
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

export interface Overrides {
  path?: string;
  sizeBytes?: number;
  base?: string;
  run?: string;
  handovers?: number;
  uses?: number;
  anew?: number;
  machine?: string;
  direct?: boolean;
  inFlight?: number;
  order?: number;
  ioDeadlineMs?: number;
  signal?: AbortSignal;
  reread?: boolean;
  stateDir?: string;
  report?: (progress: TransferProgress) => void;
  note?: (text: string) => void;
  pace?: (bytes: number, signal: AbortSignal) => Promise<void>;
  assure?: (signal: AbortSignal) => Promise<void>;
  limitedTo?: () => number | undefined;
}

const memory = '/dev/shm';
const roomBytes = 1024 * mib;

/** A scratch folder in memory where there is room: what a kill leaves is the same there, and comes sooner. */
export function fastFolder(): string {
  const there = existsSync(memory) ? statfsSync(memory) : undefined;
  const roomy = there !== undefined && there.bavail * there.bsize >= roomBytes;
  return mkdtempSync(join(roomy ? memory : tmpdir(), 'homeward-disk-'));
}

/** One target disk in a scratch folder; `run-1`, machine `erp`, disk `os` unless told otherwise. */
export class Workbench {
  readonly folder: string;
  readonly path: string;
  readonly stateDir: string;
  readonly sizeBytes: number;

  /** `stale`: what the target holds before; a number makes a file of holes of that size, undefined takes what is there. */
  constructor(
    stale: Buffer | number | undefined,
    folder = mkdtempSync(join(tmpdir(), 'homeward-disk-')),
    file = 'target.raw',
  ) {
    this.folder = folder;
    this.path = join(folder, file);
    this.stateDir = join(folder, 'state');
    if (stale !== undefined) writeFileSync(this.path, typeof stale === 'number' ? '' : stale);
    if (typeof stale === 'number') truncateSync(this.path, stale);
    this.sizeBytes = statSync(this.path).size;
  }

  /** The same folder with all that is in it, once more; what is done to the one is not seen in the other. */
  copy(): Workbench {
    const folder = fastFolder();
    cpSync(this.folder, folder, { recursive: true });
    const copy = new Workbench(undefined, folder);
    // Holes are filled by copying, and a target that was blank (S10) would be so no more.
    if (statSync(this.path).blocks === 0) for (const size of [0, this.sizeBytes]) truncateSync(copy.path, size);
    return copy;
  }

  options(overrides: Overrides = {}) {
    const { path, sizeBytes, stateDir } = this;
    const names = { disk: 'os', machine: 'erp', run: 'run-1' };
    const signal = new AbortController().signal;
    return { path, sizeBytes, stateDir, ...names, signal, report: () => undefined, ...overrides };
  }

  transfer(source: PointReader, point: string, overrides: Overrides = {}): Promise<TransferProof> {
    return transferDisk({ ...this.options(overrides), source, point });
  }

  /** `source` as it is, or how the seal is to come by it. */
  seal(
    source: PointReader | (() => Promise<PointReader>),
    point: string,
    overrides: Overrides = {},
  ): Promise<SealProof> {
    const openSource = typeof source === 'function' ? source : async () => source;
    return sealDisk({ ...this.options(overrides), openSource, point });
  }

  content(): Buffer {
    return readFileSync(this.path);
  }

  /** The first sector alone. */
  sector(): Buffer {
    const sector = Buffer.alloc(512);
    const file = openSync(this.path, 'r');
    readSync(file, sector);
    closeSync(file);
    return sector;
  }

  /** Overwrites bytes of the target behind the engine's back. */
  damage(offset: number, bytes: Uint8Array): void {
    const content = this.content();
    content.set(bytes, offset);
    writeFileSync(this.path, content);
  }

  statePath(name: string): string {
    return join(this.stateDir, 'erp', 'os', name);
  }

  /** So that the digests lie in the checkpoint, as those of a large disk do. */
  async foldRecord(): Promise<void> {
    const folder = stateFolder(this.stateDir, 'erp', 'os');
    const view = await viewLedger(folder, 'erp/os');
    if (!view.known) throw new Error(view.because);
    const ledger = await Ledger.resume(folder, 'erp/os', view);
    await ledger.compact();
    await ledger.close();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a test on a workbench and removes it afterwards. */
export async function onWorkbench(stale: Buffer | number, work: (bench: Workbench) => Promise<void>): Promise<void> {
  const bench = new Workbench(stale);
  try {
    await work(bench);
  } finally {
    bench.remove();
  }
}

/** What a call failed with, as `Kind op`; fails when it did not fail or not with a `Failure`. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  let ended: unknown;
  try {
    ended = await call;
  } catch (error) {
    if (error instanceof Failure) return `${error.kind} ${error.op}`;
    throw error;
  }
  throw new Error(`did not fail, but ended with ${JSON.stringify(ended)}`);
}

/** Where two images differ first, or -1; a message worth reading, unlike a diff of megabytes. */
export function firstDifference(a: Buffer, b: Buffer): number {
  if (a.byteLength !== b.byteLength) return Math.min(a.byteLength, b.byteLength);
  if (a.equals(b)) return -1;
  return a.findIndex((byte, index) => byte !== b[index]);
}
