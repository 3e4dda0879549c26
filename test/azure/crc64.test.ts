/** The service's CRC64 over a mover's blocks: folded together first, and still that of every byte. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { BlockPool, newShare } from '../../disk/block-pool.ts';
import { crc64 as independent } from '../../lab/azure/crc64.ts';
import { congruent, terms } from '../../sites/azure/congruent.ts';
import { crc64 } from '../../sites/azure/crc64.ts';

const expected = (bytes: Buffer): string => independent(bytes).toString('base64');

test('S3 the sum of terms that bytes are folded by is a multiple of the polynomial of CRC-64/NVME', () => {
  // x^64 and the unreflected polynomial of the catalogue of CRCs.
  const polynomial = 0x1_ad93_d235_94c9_3659n;
  let sum = 0n;
  for (const term of terms) sum ^= 1n << BigInt(8 * term);
  for (let degree = 8 * (terms.at(-1) ?? 0); degree >= 64; degree--)
    if ((sum >> BigInt(degree)) & 1n) sum ^= polynomial << BigInt(degree - 64);
  expect(sum).toBe(0n);
});

const reach = terms.at(-1) ?? 0;
/** Lengths around each border of the fold: none of it, its shortest, whole parts of it, and a last one that is short. */
const lengths = fc.oneof(
  fc.nat({ max: 3 * reach }),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -70, max: 2 * reach })).map(([n, by]) => n * 32768 + by),
  fc.constantFrom(2 * reach - 1, 2 * reach, 2 * reach + 1, 64 * 1024, 512 * 129, 4 * 1024 * 1024),
);
const bytesOf = lengths.map((length) => randomBytes(length));

test('S3 the checksum of folded bytes is the one that an independent implementation computes of all of them', async () => {
  await fc.assert(
    fc.asyncProperty(bytesOf, async (bytes) => {
      expect(await crc64(bytes)).toBe(expected(bytes));
      expect(congruent(bytes).byteLength).toBeLessThanOrEqual(2 * reach);
    }),
    { numRuns: 200 },
  );
});

test('S3 one bit that is another one changes the checksum, wherever it lies', async () => {
  await fc.assert(
    fc.asyncProperty(bytesOf, fc.nat(), fc.nat({ max: 7 }), async (bytes, place, bit) => {
      fc.pre(bytes.byteLength > 0);
      const before = await crc64(bytes);
      const at = place % bytes.byteLength;
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
      expect(await crc64(bytes)).not.toBe(before);
      expect(await crc64(bytes)).toBe(expected(bytes));
    }),
    { numRuns: 200 },
  );
});

test('S3 what is computed at once for several blocks is told of each', async () => {
  const blocks = Array.from({ length: 8 }, (_, n) => randomBytes(64 * 1024 + n * 512));
  expect(await Promise.all(blocks.map((block) => crc64(block)))).toEqual(blocks.map(expected));
});

test('S3 a block of the mover’s own memory is summed where it lies', async () => {
  const pool = new BlockPool({ fetch: 1, proof: 1 });
  await pool.lend('fetch', newShare('erp', false), undefined, async ({ space }) => {
    randomBytes(space.byteLength).copy(space);
    expect(await crc64(space)).toBe(expected(Buffer.from(space)));
    expect(await crc64(space.subarray(512, 200_000))).toBe(expected(Buffer.from(space.subarray(512, 200_000))));
  });
});
