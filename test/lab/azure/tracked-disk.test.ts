/**
 * The simulator's disks: snapshots stay what they were, and a diff is exactly what was written and cleared.
 * Rule: the expectation is a model of its own (whole images in memory), never the disk's own bookkeeping.
 * A failing run prints its seed; set HOMEWARD_SEED to replay it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackedDisk } from '../../../lab/azure/tracked-disk.ts';

const pageBytes = 512;
const sizeBytes = 1 << 20;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-disk-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A small generator of repeatable numbers in [0, 1). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const opened: TrackedDisk[] = [];
const freshDisk = async (name: string, content = Buffer.alloc(0)): Promise<TrackedDisk> => {
  const path = join(folder, `${name}.raw`);
  await writeFile(path, content);
  const disk = await TrackedDisk.adopt(name, path, sizeBytes, folder);
  opened.push(disk);
  return disk;
};
afterEach(async () => {
  for (const disk of opened.splice(0)) await disk.close();
});

/** What the model knows of one moment: the bytes, and for each page the number of its last write or clear. */
interface Moment {
  readonly id: string;
  readonly bytes: Buffer;
  readonly step: number;
}

type PageFate = 'written' | 'cleared' | 'untouched';

class Model {
  readonly bytes = Buffer.alloc(sizeBytes);
  readonly fates: { step: number; fate: PageFate }[] = Array.from({ length: sizeBytes / pageBytes }, () => ({
    step: -1,
    fate: 'untouched',
  }));

  touch(offset: number, length: number, step: number, fate: PageFate): void {
    for (let page = Math.floor(offset / pageBytes); page * pageBytes < offset + length; page++)
      this.fates[page] = { step, fate };
  }
}

const fateIn = (disk: ReturnType<TrackedDisk['changesBetween']>, page: number): PageFate => {
  const from = page * pageBytes;
  if (disk.written.within(from, from + pageBytes).length > 0) return 'written';
  return disk.cleared.within(from, from + pageBytes).length > 0 ? 'cleared' : 'untouched';
};

/** Applies a delta to the older image, as a mover would. */
async function applied(disk: TrackedDisk, older: Moment, newer: Moment): Promise<Buffer> {
  const image = Buffer.from(older.bytes);
  const change = disk.changesBetween(older.id, newer.id);
  for (const { from, to } of change.cleared.within(0, sizeBytes)) image.fill(0, from, to);
  for (const { from, to } of change.written.within(0, sizeBytes))
    (await disk.readSnapshot(newer.id, from, to - from)).copy(image, from);
  return image;
}

async function randomLife(seed: number): Promise<void> {
  const next = numbersFrom(seed);
  const disk = await freshDisk(`random-${seed}`);
  const model = new Model();
  const moments: Moment[] = [];
  for (let step = 0; step < 120; step++) {
    const dice = next();
    const offset = Math.floor(next() * (sizeBytes / pageBytes - 300)) * pageBytes;
    const length = (1 + Math.floor(next() * 280)) * pageBytes;
    if (dice < 0.5) {
      const data = Buffer.alloc(length, 1 + Math.floor(next() * 255));
      await disk.write(offset, data);
      data.copy(model.bytes, offset);
      model.touch(offset, length, step, 'written');
    } else if (dice < 0.75) {
      await disk.discard(offset, length);
      model.bytes.fill(0, offset, offset + length);
      model.touch(offset, length, step, 'cleared');
    } else if (dice < 0.9) {
      await disk.snapshot(`s${seed}-${step}`);
      moments.push({ id: `s${seed}-${step}`, bytes: Buffer.from(model.bytes), step });
    } else if (moments.length > 2) {
      const [gone] = moments.splice(Math.floor(next() * moments.length), 1);
      if (gone) await disk.deleteSnapshot(gone.id);
    }
  }
  for (const [index, moment] of moments.entries()) {
    expect((await disk.readSnapshot(moment.id, 0, sizeBytes)).equals(moment.bytes)).toBe(true);
    for (const newer of moments.slice(index + 1)) {
      expect((await applied(disk, moment, newer)).equals(newer.bytes)).toBe(true);
    }
  }
  // The latest pair also in words: which page was written, cleared, or left alone after the last step of the older one.
  const [older, newer] = moments.slice(-2);
  if (older && newer && newer.id === moments.at(-1)?.id) {
    await disk.snapshot(`end-${seed}`);
    const change = disk.changesBetween(newer.id, `end-${seed}`);
    const expected = model.fates.map(({ step, fate }) => (step > newer.step ? fate : 'untouched'));
    expect(model.fates.map((_, page) => fateIn(change, page))).toEqual(expected);
  }
}

test('snapshots and deltas of random lives equal the true images', async () => {
  const given = process.env.HOMEWARD_SEED;
  const seeds = given ? [Number(given)] : Array.from({ length: 6 }, () => Math.floor(Math.random() * 2 ** 31));
  for (const seed of seeds) {
    try {
      await randomLife(seed);
    } catch (error) {
      throw new Error(`replay with HOMEWARD_SEED=${seed}: ${String(error)}`);
    }
  }
});

test('a rewrite of equal bytes is a change', async () => {
  const disk = await freshDisk('rewrite', Buffer.alloc(pageBytes, 7));
  await disk.snapshot('rewrite-1');
  await disk.write(0, Buffer.alloc(pageBytes, 7));
  await disk.snapshot('rewrite-2');
  expect(disk.changesBetween('rewrite-1', 'rewrite-2').written.within(0, sizeBytes)).toEqual([{ from: 0, to: 512 }]);
});

test('a write of zeros is a write, not a clear', async () => {
  const disk = await freshDisk('zeros', Buffer.alloc(4096, 7));
  await disk.snapshot('zeros-1');
  await disk.write(512, Buffer.alloc(512));
  await disk.snapshot('zeros-2');
  const change = disk.changesBetween('zeros-1', 'zeros-2');
  expect([change.written.within(0, sizeBytes), change.cleared.within(0, sizeBytes)]).toEqual([
    [{ from: 512, to: 1024 }],
    [],
  ]);
});

test('a discard that covers half a page keeps the other half in the delta', async () => {
  const disk = await freshDisk('half', Buffer.alloc(4096, 7));
  await disk.snapshot('half-1');
  await disk.discard(256, 1024);
  await disk.snapshot('half-2');
  const older = { id: 'half-1', bytes: await disk.readSnapshot('half-1', 0, sizeBytes), step: 0 };
  const newer = { id: 'half-2', bytes: await disk.readSnapshot('half-2', 0, sizeBytes), step: 1 };
  expect(newer.bytes.subarray(0, 256)).toEqual(Buffer.alloc(256, 7));
  expect((await applied(disk, older, newer)).equals(newer.bytes)).toBe(true);
});

test('a snapshot read while the guest writes and other snapshots go is still the moment it was taken', async () => {
  const next = numbersFrom(4711);
  const disk = await freshDisk('busy', Buffer.alloc(sizeBytes, 1));
  const truth = await disk.read(0, sizeBytes);
  await disk.snapshot('busy-0');
  let writing = true;
  const writer = (async () => {
    for (let step = 1; writing; step++) {
      await disk.write(Math.floor(next() * 2000) * pageBytes, Buffer.alloc(16_384, 1 + (step % 250)));
      if (step % 20 === 0) await disk.snapshot(`busy-${step}`);
      if (step % 20 === 10 && step > 20) await disk.deleteSnapshot(`busy-${step - 10}`);
    }
  })();
  for (let round = 0; round < 40; round++)
    expect((await disk.readSnapshot('busy-0', 0, sizeBytes)).equals(truth)).toBe(true);
  writing = false;
  await writer;
});

test('an adopted image counts as written where it holds anything', async () => {
  const content = Buffer.alloc(sizeBytes);
  content.fill(9, 200_000, 200_512);
  const disk = await freshDisk('adopted', content);
  await disk.snapshot('adopted-1');
  const mapped = disk.mappedRanges('adopted-1', 0, sizeBytes);
  expect(mapped).toHaveLength(1);
  expect(mapped[0]?.from).toBeLessThanOrEqual(200_000);
  expect(mapped[0]?.to).toBeGreaterThanOrEqual(200_512);
});
