/** The service's CRC64 over a mover's blocks: computed by another thread, and never left out when that one is gone. */
import { createHash } from 'node:crypto';
import { BlockPool, newShare } from '../../disk/block-pool.ts';
import { checksumThread, crc64, crc64Of } from '../../sites/azure/crc64.ts';

const inABlock = <T>(work: (block: Buffer) => Promise<T>): Promise<T> =>
  new BlockPool({ fetch: 1, proof: 1 }).lend('fetch', newShare(false), undefined, ({ space }) => work(space));

/** Bytes that repeat nowhere. */
function fill(block: Buffer): void {
  for (let at = 0; at < block.byteLength; at += 32) createHash('sha256').update(`${at}`).digest().copy(block, at);
}

test('S3 the checksum of a block in shared memory is that of its bytes, whichever thread computes it', async () => {
  await inABlock(async (block) => {
    fill(block);
    const parts = [block, block.subarray(512, 200_000), block.subarray(4096, 8192)];
    expect(await Promise.all(parts.map(crc64))).toEqual(
      await Promise.all(parts.map((part) => crc64Of(Buffer.from(part)))),
    );
    expect(checksumThread()).toBeDefined();
    const before = await crc64(block);
    block.writeUInt8(block.readUInt8(9) + 1, 9);
    expect(await crc64(block)).not.toBe(before);
  });
});

test('S3 a range is still checked after the thread was lost in the middle of one', async () => {
  await inABlock(async (block) => {
    fill(block);
    const right = await crc64Of(Buffer.from(block));
    const asked = Promise.all([crc64(block), crc64(block)]);
    await checksumThread()?.terminate();
    expect(await asked).toEqual([right, right]);
    expect(await crc64(block)).toBe(right);
  });
});
