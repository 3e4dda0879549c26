/**
 * S4: the order in which a disk gets its withheld regions back, and what a lying medium does to it.
 * Rule: the system's own write and flush calls are watched, or made to lie; nothing of the engine is replaced.
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeMarker, encodeMarker, openMarker } from '../../disk/open-marker.ts';
import { pieceDigestBytes } from '../../disk/stored-digests.ts';
import { observeDisk } from '../../disk/target-disk.ts';
import { systemError, watchHost } from './host-edge.ts';
import { failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 10 * mib;
const image = patternImage(1, size);
image.writeUInt16LE(0xaa55, 510);

type Write = (bytes: Buffer, from: number, length: number, at: number) => Promise<{ bytesWritten: number }>;
let handles: { write: Write; datasync: () => Promise<void> };
let original: { write: Write; datasync: () => Promise<void> };

beforeAll(async () => {
  const probe = await open(process.execPath);
  handles = Object.getPrototypeOf(probe);
  original = { write: handles.write, datasync: handles.datasync };
  await probe.close();
});
afterEach(() => Object.assign(handles, original));

/** The nth write at `at` from now on is done by `lie` instead. */
function lieAt(
  at: number,
  nth: number,
  lie: (real: () => ReturnType<Write>, bytes: Buffer) => ReturnType<Write>,
): void {
  let seen = 0;
  handles.write = function (this: unknown, bytes, from, length, where) {
    const real = (): ReturnType<Write> => original.write.call(this, bytes, from, length, where);
    return where === at && ++seen === nth ? lie(real, bytes.subarray(from, from + length)) : real();
  };
}

async function copied(work: (bench: Workbench) => Promise<void>): Promise<void> {
  await onWorkbench(patternImage(2, size), async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    await work(bench);
  });
}

test('a seal writes the tail, the head, the partition header and last of all the boot sector, each flushed', async () => {
  await copied(async (bench) => {
    const calls: string[] = [];
    handles.write = function (this: unknown, bytes, from, length, at) {
      calls.push(`write ${at}`);
      return original.write.call(this, bytes, from, length, at);
    };
    handles.datasync = function (this: unknown) {
      if (calls.at(-1) !== 'flush') calls.push('flush');
      return original.datasync.call(this);
    };
    await bench.seal(new ImagePoint(image), 'p0');
    const first = calls.indexOf(`write ${size - mib}`);
    expect(calls.slice(first)).toEqual([
      ...[`write ${size - mib}`, 'flush', 'write 1024', 'flush', 'write 512', 'flush', 'write 0', 'flush'],
    ]);
  });
});

// The first write at 0 is the marker of the sealing attempt itself.
test.each([
  ['tail', size - mib, 1],
  ['head', 1024, 1],
  ['partition header', 512, 1],
  ['boot sector', 0, 2],
])('S4 a lost write of the %s leaves the disk open', async (_, at, nth) => {
  await copied(async (bench) => {
    lieAt(at, nth, async (_real, bytes) => ({ bytesWritten: bytes.byteLength }));
    const lying = handles.write;
    let [headers, bootSectors] = [0, 0];
    handles.write = function (this: unknown, bytes, from, length, where) {
      if (where === 512) headers++;
      if (where === 0 && bytes.readUInt16LE(from + 510) === 0xaa55) bootSectors++;
      return lying.call(this, bytes, from, length, where);
    };
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
    Object.assign(handles, original);
    // Nothing that is missing may be found only after what can boot went back; that is for each of them itself.
    expect(headers).toBe(at <= 512 ? 1 : 0);
    expect(bootSectors).toBe(at === 0 ? 1 : 0);
    const seen = await observeDisk(bench.options());
    expect(seen.marker).toBeDefined();
    expect(seen.state).not.toBe('sealed');
    expect(bench.content().readUInt16LE(510)).not.toBe(0xaa55);
  });
});

test('a boot sector that arrives wrong is replaced by the open marker at once', async () => {
  await copied(async (bench) => {
    lieAt(0, 2, async (real, bytes) => {
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      const written = await real();
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      return written;
    });
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
    expect((await observeDisk(bench.options())).marker).toBeDefined();
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
  });
});

test('a seal that finds a newer attempt on the disk stops before the first byte', async () => {
  await copied(async (bench) => {
    let done = false;
    const source = new ImagePoint(image, undefined, () => {
      if (done) return;
      done = true;
      const newer = openMarker({ id: 'f'.repeat(32), machine: 'erp', disk: 'os', run: 'run-2', epoch: 99 });
      bench.damage(0, encodeMarker(newer));
    });
    expect(await failureOf(bench.seal(source, 'p0'))).toBe('Fenced fence');
    expect(
      bench
        .content()
        .subarray(size - mib)
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

// The step before it is where the newer attempt appears; the fence before the tail is that of the test above.
test.each([
  ['the partition header', 1024, 512],
  ['the boot sector', 512, 0],
])('S8 a seal that finds a newer attempt on the disk before %s does not write it', async (_, before, next) => {
  await copied(async (bench) => {
    const newer = encodeMarker(openMarker({ id: 'f'.repeat(32), machine: 'erp', disk: 'os', run: 'run-2', epoch: 99 }));
    const sectors: number[] = [];
    handles.write = async function (this: unknown, bytes, from, length, at) {
      sectors.push(at);
      const written = await original.write.call(this, bytes, from, length, at);
      if (at === before) bench.damage(0, newer);
      return written;
    };
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Fenced fence');
    expect(sectors.at(-1)).toBe(before);
    expect(bench.sector().equals(newer)).toBe(true);
    if (next > 0)
      expect(
        bench
          .content()
          .subarray(next, before)
          .every((byte) => byte === 0),
      ).toBe(true);
  });
});

test('an attempt whose marker is lost on its way to the disk stops there', async () => {
  await copied(async (bench) => {
    lieAt(0, 1, async (_real, bytes) => ({ bytesWritten: bytes.byteLength }));
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt open');
  });
});

const eio = (): Promise<never> => Promise.reject(systemError('EIO'));

/** From the write of the boot sector on, `befalls` is asked whether a write or a flush fails. */
function failAfterBootSector(befalls: (name: 'write' | 'flush') => boolean): void {
  let seen = 0;
  handles.write = function (this: unknown, bytes, from, length, where) {
    if (seen >= 2 && befalls('write')) return eio();
    if (where === 0) seen++;
    return original.write.call(this, bytes, from, length, where);
  };
  handles.datasync = function (this: unknown) {
    return seen >= 2 && befalls('flush') ? eio() : original.datasync.call(this);
  };
}

test('S4 a seal whose last flush fails is Refused with the disk left open, and is made once more', async () => {
  await copied(async (bench) => {
    let failed = 0;
    failAfterBootSector((name) => name === 'flush' && ++failed === 1);
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Refused target.flush');
    Object.assign(handles, original);
    expect(await observeDisk(bench.options())).toMatchObject({ state: 'open', marker: { run: 'run-1' } });
    expect(bench.content().readUInt16LE(510)).not.toBe(0xaa55);
    await bench.seal(new ImagePoint(image), 'p0');
    expect(firstDifference(bench.content(), image)).toBe(-1);
    expect((await observeDisk(bench.options())).state).toBe('sealed');
  });
});

test.each([
  ['the tail', 1],
  ['the head', 2],
  ['the partition header', 3],
])('S4 a seal that fails at the flush of %s leaves nothing on the disk that says how to boot it', async (_, nth) => {
  await copied(async (bench) => {
    let [sealing, flushes] = [false, 0];
    const restore = await watchHost(async (call) => {
      if (call.path !== bench.path) return call.all();
      sealing ||= call.name === 'write' && call.offset === size - mib;
      return sealing && call.name === 'flush' && ++flushes === nth ? eio() : call.all();
    });
    try {
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Refused target.flush');
    } finally {
      restore();
    }
    expect(flushes).toBeGreaterThanOrEqual(nth);
    const [content, nothing] = [bench.content(), Buffer.alloc(mib)];
    expect((await observeDisk(bench.options())).marker).toMatchObject({ run: 'run-1' });
    expect(firstDifference(content.subarray(512, mib), nothing.subarray(512))).toBe(-1);
    expect(firstDifference(content.subarray(size - mib), nothing)).toBe(-1);
    await bench.seal(new ImagePoint(image), 'p0');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('S4 a seal whose last look cannot read is Refused with the disk left open', async () => {
  await copied(async (bench) => {
    let [atZero, failed] = [0, 0];
    const restore = await watchHost(async ({ name, path, offset, all }) => {
      if (path === bench.path && name === 'write' && offset === 0) atZero++;
      return atZero === 2 && name === 'read' && path === bench.path && failed++ === 0 ? eio() : all();
    });
    try {
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toMatch(/^Refused /);
    } finally {
      restore();
    }
    expect(failed).toBeGreaterThan(0);
    expect(await observeDisk(bench.options())).toMatchObject({ state: 'open', marker: { run: 'run-1' } });
    await bench.seal(new ImagePoint(image), 'p0');
    expect((await observeDisk(bench.options())).state).toBe('sealed');
  });
});

test('S4 S8 a seal that fails after its boot sector leaves the marker of a newer attempt where it is', async () => {
  await copied(async (bench) => {
    const newer = openMarker({ id: 'f'.repeat(32), machine: 'erp', disk: 'os', run: 'run-2', epoch: 99 });
    failAfterBootSector((name) => {
      Object.assign(handles, original);
      bench.damage(0, encodeMarker(newer));
      return name === 'flush';
    });
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Refused target.flush');
    expect((await observeDisk(bench.options())).marker).toEqual(newer);
  });
});

/** The digest of block 1, which lies at neither end. */
function flipDigest(checkpoint: string): void {
  const bytes = readFileSync(checkpoint);
  const at = bytes.byteLength - 32 - pieceDigestBytes + 32;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(checkpoint, bytes);
}

test.each<[string, (checkpoint: string) => void]>([
  ['went bad', flipDigest],
  ['were cut off', (checkpoint) => truncateSync(checkpoint, 4096)],
])('S3 S4 no disk is sealed by digests that %s on the mover while it was: it stays open', async (_, hurt) => {
  await copied(async (bench) => {
    await bench.foldRecord();
    const opened = async (): Promise<ImagePoint> => {
      hurt(bench.statePath('checkpoint'));
      return new ImagePoint(image);
    };
    expect(await failureOf(bench.seal(opened, 'p0'))).toBe('Corrupt state.checkpoint');
    expect(decodeMarker(bench.content())).toMatchObject({ run: 'run-1' });
    expect(bench.sector()[510]).not.toBe(0x55);
    await bench.transfer(new ImagePoint(image), 'p0');
    await bench.seal(new ImagePoint(image), 'p0');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('a sealed disk whose record cannot be folded is sealed all the same, and that is told', async () => {
  await copied(async (bench) => {
    const notes: string[] = [];
    let sealed = false;
    const restore = await watchHost(async (call) => {
      const done = await (sealed && call.path.startsWith(bench.statePath('checkpoint')) ? eio() : call.all());
      sealed ||= call.name === 'append' && call.path === bench.statePath('journal') && bench.sector()[510] === 0x55;
      return done;
    });
    try {
      await bench.seal(new ImagePoint(image), 'p0', { note: (text) => notes.push(text) });
    } finally {
      restore();
    }
    expect(notes).toContainEqual(expect.stringContaining('is sealed, but its record could not be folded'));
    expect((await observeDisk(bench.options())).state).toBe('sealed');
  });
});
