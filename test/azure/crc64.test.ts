/** The service's CRC64 over a mover's blocks: computed by another thread, and never left out when that one is gone. */
import { createHash } from 'node:crypto';
import { BlockPool, newShare } from '../../disk/block-pool.ts';
import { type BlobAnswer, type BlobTransport, blobLimits } from '../../sites/azure/blob-port.ts';
import { checksumThread, crc64, crc64Of } from '../../sites/azure/crc64.ts';
import { OneContent } from '../../sites/azure/one-content.ts';
import { createRangeReader } from '../../sites/azure/range-reader.ts';
import type { OpenSnapshot } from '../../sites/azure/snapshot-get.ts';

const inABlock = <T>(work: (block: Buffer) => Promise<T>): Promise<T> =>
  new BlockPool({ fetch: 1, proof: 1 }).lend('fetch', newShare('erp', false), undefined, ({ space }) => work(space));

const { signal } = new AbortController();

/** Bytes that repeat nowhere. */
function fill(block: Buffer): void {
  for (let at = 0; at < block.byteLength; at += 32) createHash('sha256').update(`${at}`).digest().copy(block, at);
}

test('S3 the checksum of a block in shared memory is that of its bytes, whichever thread computes it', async () => {
  await inABlock(async (block) => {
    fill(block);
    const parts = [block, block.subarray(512, 200_000), block.subarray(4096, 8192)];
    expect(await Promise.all(parts.map((part) => crc64(part, signal)))).toEqual(
      await Promise.all(parts.map((part) => crc64Of(Buffer.from(part)))),
    );
    expect(checksumThread()).toBeDefined();
    const before = await crc64(block, signal);
    block.writeUInt8(block.readUInt8(9) + 1, 9);
    expect(await crc64(block, signal)).not.toBe(before);
  });
});

const lease = {
  name: 'a-snapshot',
  sas: async () => ({ url: new URL('https://md-1.blob.storage.azure.net/c/abcd'), serial: 1 }),
  waitsFor: () => undefined,
  renew: async () => undefined,
  close: async () => undefined,
};

/** A blob endpoint that holds just this block; `arrived` is called behind its last byte. */
function endpointOf(block: Buffer, sum: string, arrived: () => void): Pick<OpenSnapshot, 'transport' | 'content'> {
  const range = `bytes 0-${block.byteLength - 1}/${block.byteLength}`;
  const headers: Record<string, string> = { 'content-range': range, 'x-ms-content-crc64': sum };
  const fill = async (into: Uint8Array): Promise<number> => {
    setImmediate(arrived);
    return into.byteLength;
  };
  const answer: BlobAnswer = { status: 206, header: (name) => headers[name], fill, text: async () => '' };
  const transport: BlobTransport = {
    limits: blobLimits,
    get: (_url, _headers, _signal, take) => take(answer),
    close: async () => undefined,
  };
  return { transport, content: new OneContent() };
}

describe('while the thread answers nobody', () => {
  /** Gives the thread seconds of work that nobody waits for; returns it. */
  async function occupied(block: Buffer): Promise<ReturnType<typeof checksumThread>> {
    await crc64(block, signal);
    const thread = checksumThread();
    const { buffer: memory, byteOffset: at, byteLength: length } = block;
    for (let turn = 0; turn < 2_000; turn++) thread?.postMessage({ id: -1, memory, at, length });
    return thread;
  }

  test('S3 the main thread computes after a while, and the next range has a new thread', async () => {
    await inABlock(async (block) => {
      fill(block);
      const right = await crc64Of(Buffer.from(block));
      const before = await occupied(block);
      expect(await crc64(block, signal, 20)).toBe(right);
      expect(await crc64(block, signal)).toBe(right);
      expect(checksumThread()).toBeDefined();
      expect(checksumThread()).not.toBe(before);
    });
  });

  test('a read that is told to stop waits for it no longer', async () => {
    await inABlock(async (block) => {
      fill(block);
      const sum = await crc64Of(Buffer.from(block));
      await occupied(block);
      const stop = new AbortController();
      const reader = createRangeReader(
        { ...endpointOf(block, sum, () => stop.abort(new RangeError('told to stop'))), lease },
        block.byteLength,
      );
      await expect(reader.read(0, block, stop.signal)).rejects.toThrow('told to stop');
      // Given up: whoever comes next has one that answers.
      await crc64(block, signal, 1);
    });
  });
});

test('S3 a range is still checked after the thread was lost in the middle of one', async () => {
  await inABlock(async (block) => {
    fill(block);
    const right = await crc64Of(Buffer.from(block));
    const asked = Promise.all([crc64(block, signal), crc64(block, signal)]);
    await checksumThread()?.terminate();
    expect(await asked).toEqual([right, right]);
    expect(await crc64(block, signal)).toBe(right);
  });
});
