/**
 * S4, S8: what a seal finds that is asked again, and what one that stops leaves to others. Rule: the system's own calls are
 * watched or made to fail at the edge of the host; what stands on the disk is compared byte for byte.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { encodeMarker, openMarker } from '../../disk/open-marker.ts';
import type { PointReader } from '../../disk/point-reader.ts';
import { observeDisk, observeSeal } from '../../disk/target-disk.ts';
import { refused } from '../../model/failure.ts';
import { type HostCall, systemError, watchHost } from './host-edge.ts';
import { failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 10 * mib;
const image = patternImage(1, size);
image.writeUInt16LE(0xaa55, 510);

const point = (): ImagePoint => new ImagePoint(image);
const noSource = (): never => {
  throw refused({ op: 'read', subject: 'a-snapshot', message: 'nothing to be had', hint: 'Ask the cloud.' });
};
const eio = (): Promise<never> => Promise.reject(systemError('EIO'));

async function copied(work: (bench: Workbench) => Promise<void>): Promise<void> {
  await onWorkbench(patternImage(2, size), async (bench) => {
    await bench.transfer(point(), 'p0');
    await work(bench);
  });
}

/** Seals while `befalls` sees each call on the target and on the mover's record, and does it or something else. */
async function sealWhile(bench: Workbench, befalls: (call: HostCall) => Promise<unknown>): Promise<unknown> {
  const restore = await watchHost(befalls);
  try {
    return await bench.seal(point(), 'p0');
  } finally {
    restore();
  }
}

async function sealedRight(bench: Workbench): Promise<void> {
  expect(firstDifference(bench.content(), image)).toBe(-1);
  expect((await observeDisk(bench.options())).state).toBe('sealed');
}

/** What a story does when it is told to try again: the seal says that the lineage broke, and the whole disk is copied. */
async function mendedByAFullCopy(bench: Workbench): Promise<void> {
  expect(await failureOf(bench.seal(point(), 'p0'))).toBe('Corrupt lineage');
  await bench.transfer(point(), 'p0');
  await bench.seal(point(), 'p0');
  await sealedRight(bench);
}

/** Ends a seal as a kill does it once the partition header went back: not one call on the disk or its record comes through. */
async function killBehindHeader(bench: Workbench): Promise<void> {
  let dead = false;
  const ended = sealWhile(bench, async (call) => {
    if (dead && (call.path === bench.path || call.path === bench.statePath('journal'))) return eio();
    const done = await call.all();
    dead ||= call.path === bench.path && call.name === 'write' && call.offset === 512;
    return done;
  });
  expect(await failureOf(ended)).toBe('Refused target.flush');
}

const noGrant = async (): Promise<never> => noSource();

test.each<[string, string, object, (bench: Workbench) => PointReader | typeof noGrant]>([
  ['that is given no grant', 'Refused read', {}, () => noGrant],
  ['whose source gives nothing', 'Refused read', {}, () => new ImagePoint(image, undefined, noSource)],
  [
    'that finds damage as it reads the disk again',
    'Corrupt scrub',
    { reread: true },
    (bench) => {
      bench.damage(5 * mib, Buffer.alloc(256, 'torn'));
      return point();
    },
  ],
])(
  'S4 what a seal that was killed behind the partition header gave back is withheld again by the next one %s',
  async (_, ends, how, source) => {
    await copied(async (bench) => {
      await killBehindHeader(bench);
      expect(firstDifference(bench.content().subarray(512), image.subarray(512))).toBe(-1);
      expect(await failureOf(bench.seal(source(bench), 'p0', how))).toBe(ends);
      await withheldAtBothEnds(bench);
    });
  },
);

test('a disk that is sealed answers with its proof, and no source is asked', async () => {
  await copied(async (bench) => {
    const proof = await bench.seal(point(), 'p0');
    expect(await bench.seal(noGrant, 'p0')).toEqual(proof);
  });
});

test('S4 a seal that cannot withhold again what a killed one gave back says that the disk may be able to boot', async () => {
  await copied(async (bench) => {
    await killBehindHeader(bench);
    const ended = sealWhile(bench, async (call) =>
      call.path === bench.path && call.name === 'write' && call.offset === size - mib ? eio() : call.all(),
    );
    await expect(ended).rejects.toMatchObject({
      kind: 'Refused',
      hint: expect.stringContaining('may be able to boot'),
    });
  });
});

// The first write at 0 is the marker of the sealing attempt itself, the second one the boot sector.
test.each([
  ['cannot be written', false],
  ['was written and cannot be flushed', true],
])(
  'S3 S4 a seal whose last record %s is Refused with the disk as it was proven, and is sealed when it is asked again',
  async (_, written) => {
    await copied(async (bench) => {
      let [atZero, failed] = [0, 0];
      const ended = sealWhile(bench, async (call) => {
        if (call.path === bench.path && call.name === 'write' && call.offset === 0) atZero++;
        const befallen = atZero === 2 && call.path === bench.statePath('journal') && call.name === 'append';
        if (!befallen || failed++ > 0) return call.all();
        if (written) await call.all();
        return eio();
      });
      expect(await failureOf(ended)).toBe('Refused journal.append');
      expect(firstDifference(bench.content(), image)).toBe(-1);
      const proof = await bench.seal(point(), 'p0');
      expect(await observeSeal(bench.options())).toEqual(proof);
      await sealedRight(bench);
      // A line whose flush failed may be gone after a loss of power: the proof is answered from a record written anew.
      expect(readFileSync(bench.statePath('journal'), 'utf8')).not.toContain('"t":"sealed"');
    });
  },
);

test.each([
  ['of the copy before it', 0],
  ['of the seal itself', 1],
])(
  'S3 S9 a disk that is sealed by the record and carries our open marker, that %s, is no sealed disk, and is copied whole',
  async (_, later) => {
    await copied(async (bench) => {
      const { marker } = await observeDisk(bench.options());
      const again = { ...bench.options(), id: '', ...marker, epoch: (marker?.epoch ?? 0) + later };
      await bench.seal(point(), 'p0');
      bench.damage(0, encodeMarker(openMarker(again)));
      expect(await observeSeal(bench.options())).toBeUndefined();
      await mendedByAFullCopy(bench);
    });
  },
);

test('S8 a disk that is sealed by the record and carries the open marker of another copy is left to that one', async () => {
  await copied(async (bench) => {
    await bench.seal(point(), 'p0');
    bench.damage(0, encodeMarker(openMarker({ ...bench.options(), id: 'f'.repeat(32), epoch: 99 })));
    const before = bench.content();
    expect(await failureOf(bench.seal(point(), 'p0'))).toBe('Corrupt lineage');
    expect(await failureOf(bench.transfer(point(), 'p0'))).toBe('Refused lineage');
    expect(firstDifference(bench.content(), before)).toBe(-1);
  });
});

async function withheldAtBothEnds(bench: Workbench): Promise<void> {
  expect((await observeDisk(bench.options())).marker).toMatchObject({ run: 'run-1' });
  const [content, nothing] = [bench.content(), Buffer.alloc(mib)];
  expect(firstDifference(content.subarray(512, mib), nothing.subarray(512))).toBe(-1);
  expect(firstDifference(content.subarray(size - mib), nothing)).toBe(-1);
}

/** Ends a seal between the write of the boot sector and its flush, as a mover does that lost its storage for good there. */
async function sealHalfway(bench: Workbench): Promise<void> {
  let atZero = 0;
  const ended = sealWhile(bench, async (call) => {
    if (call.path !== bench.path || !['write', 'flush'].includes(call.name)) return call.all();
    if (atZero === 2) return eio();
    if (call.offset === 0 && call.name === 'write') atZero++;
    return call.all();
  });
  await expect(ended).rejects.toMatchObject({
    ...{ kind: 'Refused', op: 'target.flush' },
    message: expect.stringContaining('the disk could not be withheld again'),
  });
  expect((await observeDisk(bench.options())).state).toBe('unknown');
}

test('S4 a seal cut off after the boot sector went back is flushed and looked at when it is asked again, and then sealed', async () => {
  await copied(async (bench) => {
    await sealHalfway(bench);
    const calls: string[] = [];
    await sealWhile(bench, async (call) => {
      if (call.path === bench.path) calls.push(call.name);
      return call.all();
    });
    expect(calls).toContain('flush');
    expect(calls).not.toContain('write');
    await sealedRight(bench);
  });
});

test.each<[string, number, string, { reread?: boolean }]>([
  ['in the boot sector itself', 0, 'Corrupt seal', {}],
  ['behind it, with damage found as the disk is read again,', 5 * mib, 'Corrupt scrub', { reread: true }],
])(
  'S4 a seal cut off %s knows the disk by the rest of both ends, and withholds them again',
  async (_, at, ends, how) => {
    await copied(async (bench) => {
      await sealHalfway(bench);
      bench.damage(at, Buffer.alloc(256, 'torn'));
      expect(await failureOf(bench.seal(point(), 'p0', how))).toBe(ends);
      await withheldAtBothEnds(bench);
      await mendedByAFullCopy(bench);
    });
  },
);

test.each([512, size - 512])(
  'S4 a seal cut off there leaves a disk alone that it does not know by its byte %i, and does not say that it cannot boot',
  async (offset) => {
    await copied(async (bench) => {
      await sealHalfway(bench);
      for (const at of [0, offset]) bench.damage(at, Buffer.alloc(512, 'other'));
      const before = bench.content();
      await expect(bench.seal(point(), 'p0')).rejects.toMatchObject({
        ...{ kind: 'Corrupt', op: 'seal' },
        hint: expect.stringContaining('may be able to boot'),
      });
      expect(firstDifference(bench.content(), before)).toBe(-1);
      await mendedByAFullCopy(bench);
    });
  },
);

const taken = (bench: Workbench): void => writeFileSync(bench.statePath('lock'), '{"pid":1}');

test.each<[string, object, (bench: Workbench) => void]>([
  ['whose lock was taken while its marker still stands', { kind: 'Fenced', op: 'lock.check' }, taken],
  [
    'whose disk another attempt has sealed by now',
    { kind: 'Fenced', op: 'lock.check' },
    (bench) => {
      taken(bench);
      bench.damage(0, image.subarray(0, 512));
    },
  ],
  [
    'that finds its marker gone before its boot sector was on the way',
    { kind: 'Corrupt', op: 'fence', hint: expect.stringContaining('may be able to boot') },
    (bench) => bench.damage(0, Buffer.alloc(512, 'other')),
  ],
])('S8 a seal %s writes nothing more', async (_, ends, befall) => {
  await copied(async (bench) => {
    let before: Buffer = Buffer.alloc(0);
    const ended = sealWhile(bench, async (call) => {
      const done = await call.all();
      if (call.path === bench.path && call.name === 'write' && call.offset === 1024) {
        befall(bench);
        before = bench.content();
      }
      return done;
    });
    await expect(ended).rejects.toMatchObject(ends);
    expect(firstDifference(bench.content(), before)).toBe(-1);
  });
});

test.each([
  ['first', 2 * mib],
  ['last', size - mib - 512],
])(
  'S3 S9 damage that a seal finds in the %s block of a disk keeps it open, and a second try copies the whole disk',
  async (_, offset) => {
    await copied(async (bench) => {
      bench.damage(offset, Buffer.from([(image[offset] ?? 0) ^ 1]));
      expect(await failureOf(bench.seal(point(), 'p0'))).toBe('Corrupt seal');
      expect((await observeDisk(bench.options())).marker).toBeDefined();
      await mendedByAFullCopy(bench);
    });
  },
);
