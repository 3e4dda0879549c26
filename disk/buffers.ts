/**
 * The memory bytes pass through: page-aligned blocks cut from one WebAssembly.Memory, as O_DIRECT demands
 * (Buffer's own memory is not aligned). Rule: bounded; lanes and read-back own their blocks, so nobody waits
 * for memory. A set that a late source may still write into is thrown away, never lent again.
 */
import { blockBytes } from './geometry.ts';

/** Blocks fetched at once. L2: 8 x 4 MiB in flight + 16 filling + 16 being made durable = 64 MiB sent again at most. */
export const laneLimit = 8;
/** Blocks read back at once. */
export const readBackLimit = 3;

/** The part of it we use; the language's own declarations count it to the browser. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const wasmPage = 64 * 1024;

export class BufferSet {
  readonly lanes: readonly Buffer[];
  readonly readBack: readonly [Buffer, Buffer, Buffer];
  /** For single sectors: the marker, the boot sector. */
  readonly sector: Buffer;
  /** Set when a read was abandoned and may still land here. */
  spoiled = false;

  /** `lanes`: how many blocks may be fetched at once; none for work that only reads the target. */
  constructor(lanes: number) {
    const setBytes = (lanes + readBackLimit) * blockBytes + wasmPage;
    const memory = new WebAssembly.Memory({ initial: setBytes / wasmPage, maximum: setBytes / wasmPage });
    const block = (index: number): Buffer => Buffer.from(memory.buffer, index * blockBytes, blockBytes);
    this.lanes = Array.from({ length: lanes }, (_, index) => block(index));
    this.readBack = [block(lanes), block(lanes + 1), block(lanes + 2)];
    this.sector = Buffer.from(memory.buffer, setBytes - wasmPage, wasmPage);
  }
}

const shelves = new Map<number, BufferSet[]>();

/** Lends a set for the time of `work`. Sets are kept for the next disk, because engines free such memory late. */
export async function withBuffers<T>(lanes: number, work: (buffers: BufferSet) => Promise<T>): Promise<T> {
  const shelf = shelves.get(lanes) ?? [];
  shelves.set(lanes, shelf);
  const buffers = shelf.pop() ?? new BufferSet(lanes);
  try {
    return await work(buffers);
  } finally {
    if (!buffers.spoiled) shelf.push(buffers);
  }
}

/** A block of zeros, for comparing; never written into. */
export const zeroBlock = Buffer.alloc(blockBytes);

/** Whether every byte is zero; at most one block long. */
export function isAllZero(bytes: Uint8Array): boolean {
  return zeroBlock.subarray(0, bytes.byteLength).equals(bytes);
}
