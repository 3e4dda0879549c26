/**
 * S4: an open disk has neither boot signature nor partition table, and gets both back in one order, last of all
 * sector 0. Rule: the bytes are looked at on the target itself, at every moment a source can look.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { blake3 } from '@napi-rs/blake-hash';
import { decodeMarker, encodeMarker, openMarker } from '../../disk/open-marker.ts';
import { observeDisk, observeSeal } from '../../disk/target-disk.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternBytes,
  patternImage,
  type Workbench,
  zero,
} from './workbench.ts';

const size = 10 * mib + 512;

/** A disk with a boot signature and both partition tables. */
function bootable(seed: number): Buffer {
  const image = patternImage(seed, size);
  image.writeUInt16LE(0xaa55, 510);
  image.write('EFI PART', 512, 'latin1');
  image.write('EFI PART', size - 512, 'latin1');
  return image;
}

function looksBootable(content: Buffer): boolean {
  return content.readUInt16LE(510) === 0xaa55 || content.includes('EFI PART');
}

async function copied(bench: Workbench, image: Buffer): Promise<void> {
  await bench.transfer(new ImagePoint(image), 'p0');
}

/** As docs/operate.md describes it, and by nothing of the engine. */
function rootOfBytes(content: Buffer): string {
  const hash = createHash('sha256');
  for (let at = 0; at < content.byteLength; at += 4 * mib) {
    const block = content.subarray(at, at + 4 * mib);
    const leaves: Buffer[] = [];
    for (let from = 0; from < block.byteLength; from += 65_536)
      leaves.push(blake3(block.subarray(from, from + 65_536)));
    const place = Buffer.alloc(16);
    place.writeBigUInt64LE(BigInt(at));
    place.writeBigUInt64LE(BigInt(block.byteLength), 8);
    hash.update(place).update(blake3(Buffer.concat(leaves)));
  }
  return hash.digest('hex');
}

describe('an open disk', () => {
  test('has no boot signature and no partition table from before its first data byte until its seal', async () => {
    const image = bootable(1);
    await onWorkbench(bootable(2), async (bench) => {
      const seen: boolean[] = [];
      const source = new ImagePoint(image, undefined, () => {
        const content = readFileSync(bench.path);
        seen.push(looksBootable(content), decodeMarker(content) === undefined);
        seen.push(content.subarray(512, mib).some((byte) => byte !== 0));
        seen.push(content.subarray(size - mib).some((byte) => byte !== 0));
      });
      await bench.transfer(source, 'p0');
      expect(seen.length).toBeGreaterThan(4);
      expect(seen).not.toContain(true);
      expect(looksBootable(bench.content())).toBe(false);
      expect((await observeDisk(bench.options())).state).toBe('open');
      expect(await observeSeal(bench.options())).toBeUndefined();
    });
  });

  test('names its machine, disk, run and attempt in readable text that fits one sector', () => {
    const long = '"\\'.repeat(300);
    const facts = { id: 'a'.repeat(32), machine: long, disk: long, run: long, epoch: Number.MAX_SAFE_INTEGER };
    const sector = encodeMarker(openMarker(facts));
    expect(sector.byteLength).toBe(512);
    expect(sector.readUInt32LE(508)).toBe(0);
    expect(decodeMarker(sector)?.epoch).toBe(facts.epoch);
    sector[60] = (sector[60] ?? 0) ^ 1;
    expect(decodeMarker(sector)).toBeUndefined();
  });
});

describe('a seal', () => {
  test('gives every byte back, and answers with the same proof when asked again', async () => {
    const image = bootable(1);
    await onWorkbench(bootable(2), async (bench) => {
      await copied(bench, image);
      const proof = await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
      expect(await bench.seal(new ImagePoint(image), 'p0')).toEqual(proof);
      expect(await observeSeal(bench.options())).toEqual(proof);
      expect((await observeDisk(bench.options())).state).toBe('sealed');
    });
  });

  test('S3 has a root that anybody can compute from its bytes alone, whatever brought them there', async () => {
    const size = 17 * mib + 512;
    for (const stale of [size, patternImage(9, size)]) {
      await onWorkbench(stale, async (bench) => {
        const image = Buffer.alloc(size);
        patternBytes(1, 0, image.subarray(0, 6 * mib));
        await bench.transfer(new ImagePoint(image, [data(0, 6 * mib)]), 'p0');
        patternBytes(2, 0, image.subarray(13 * mib + 4096, 13 * mib + 8192));
        image.fill(0, 2 * mib, 3 * mib);
        const changes = [data(13 * mib + 4096, 4096), zero(2 * mib, mib)];
        await bench.transfer(new ImagePoint(image, changes), 'p1', { base: 'p0' });
        const { root, algorithm } = await bench.seal(new ImagePoint(image), 'p1');
        expect([algorithm, root]).toEqual(['blake3-64k', rootOfBytes(bench.content())]);
      });
    }
  });

  test.each([512, 4608, mib + 512, 2 * mib, 2 * mib + 512, 3 * mib + 512, 4 * mib, 7.5 * mib + 512])(
    'S3 has that root on a disk of %i bytes too',
    async (bytes) => {
      await onWorkbench(patternImage(9, bytes), async (bench) => {
        const image = patternImage(1, bytes);
        await copied(bench, image);
        const { root } = await bench.seal(new ImagePoint(image), 'p0', { reread: true });
        expect(firstDifference(bench.content(), image)).toBe(-1);
        expect(root).toBe(rootOfBytes(image));
      });
    },
  );

  test('whose root two movers compute is the same for the same bytes', async () => {
    const image = bootable(1);
    const roots: string[] = [];
    for (const stale of [bootable(2), Buffer.alloc(size)]) {
      await onWorkbench(stale, async (bench) => {
        await copied(bench, image);
        roots.push((await bench.seal(new ImagePoint(image), 'p0')).root);
      });
    }
    expect(roots[0]).toBe(roots[1]);
  });

  test('of a block that changed since it was proven is refused and leaves the disk open', async () => {
    const image = bootable(1);
    for (const offset of [2 * mib, 5 * mib, size - 2 * mib]) {
      await onWorkbench(Buffer.alloc(size), async (bench) => {
        await copied(bench, image);
        bench.damage(offset, Buffer.from([(image[offset] ?? 0) ^ 1]));
        const ended = await failureOf(bench.seal(new ImagePoint(image), 'p0', { reread: true }));
        expect(ended).toBe('Corrupt scrub');
        expect(looksBootable(bench.content())).toBe(false);
      });
    }
  });

  test('finds a changed block beside the withheld regions even without reading the whole disk again', async () => {
    const image = bootable(1);
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      await copied(bench, image);
      bench.damage(2 * mib, Buffer.from([(image[2 * mib] ?? 0) ^ 1]));
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
      expect(bench.content().readUInt16LE(510)).not.toBe(0xaa55);
    });
  });

  test('of another point than the one the disk holds is refused', async () => {
    const image = bootable(1);
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
      await copied(bench, image);
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p1'))).toBe('Corrupt lineage');
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0', { run: 'run-2' }))).toBe('Corrupt lineage');
    });
  });

  test('of an unfinished round is refused', async () => {
    const image = bootable(1);
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      await copied(bench, image);
      const failing = new ImagePoint(image, undefined, () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(failing, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      for (const point of ['p0', 'p1']) {
        expect(await failureOf(bench.seal(new ImagePoint(image), point))).toBe('Corrupt lineage');
      }
    });
  });

  test('of a point that is itself an open disk is refused', async () => {
    const image = bootable(1);
    encodeMarker(openMarker({ id: 'x', machine: 'm', disk: 'd', run: 'r', epoch: 1 })).copy(image);
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      await copied(bench, image);
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
    });
  });

  test('is final: the same run writes a sealed disk no more', async () => {
    const image = bootable(1);
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      await copied(bench, image);
      await bench.seal(new ImagePoint(image), 'p0');
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p1'))).toBe('Refused lineage');
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p1', { base: 'p0' }))).toBe('Refused lineage');
      await bench.transfer(new ImagePoint(image), 'p1', { run: 'run-2' });
      expect((await observeDisk(bench.options())).state).toBe('open');
    });
  });
});
