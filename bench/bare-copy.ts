/**
 * A copy that proves nothing: the product's own reader, and blocks written past the page cache. What the proofs of a
 * verified copy cost is measured against it.
 * Rule: it lives in the bench only; the product has no switch that turns proofs off (S3), and must never get one.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { PointReader } from '../disk/point-reader.ts';
import { mib } from './layout.ts';

/** As in the engine: eight blocks of 4 MiB on their way. */
const lanes = 8;
const blockBytes = 4 * mib;
const wasmPage = 64 * 1024;

/** Page-aligned memory, as O_DIRECT demands; the language's own declarations count it to the browser. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

async function* blocksOf(source: PointReader, signal: AbortSignal): AsyncGenerator<{ offset: number; length: number }> {
  for await (const { offset, length, kind } of source.changes(signal)) {
    if (kind === 'zero') continue;
    for (let at = offset; at < offset + length; ) {
      const next = Math.min(offset + length, (Math.floor(at / blockBytes) + 1) * blockBytes);
      yield { offset: at, length: next - at };
      at = next;
    }
  }
}

async function writeAll(target: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await target.write(bytes, done, bytes.byteLength - done, offset + done);
    done += bytesWritten;
  }
}

/** Fills a new file of holes with the point's data and makes it durable. Returns the bytes it carried. */
export async function bareCopy(source: PointReader, path: string, signal: AbortSignal): Promise<number> {
  const pages = (lanes * blockBytes) / wasmPage;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const target = await open(path, constants.O_RDWR | constants.O_DIRECT);
  const blocks = blocksOf(source, signal);
  let carried = 0;
  const lane = async (space: Buffer): Promise<void> => {
    for (let next = await blocks.next(); !next.done; next = await blocks.next()) {
      const { offset, length } = next.value;
      const bytes = space.subarray(0, length);
      await source.read(offset, bytes, signal);
      await writeAll(target, bytes, offset);
      carried += length;
    }
  };
  try {
    const spaces = Array.from({ length: lanes }, (_, index) =>
      Buffer.from(memory.buffer, index * blockBytes, blockBytes),
    );
    await Promise.all(spaces.map(lane));
    await target.datasync();
  } finally {
    await target.close();
  }
  return carried;
}
