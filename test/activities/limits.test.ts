/**
 * A mover's limits at work: the rate that is kept, who goes first, and what survives a restart.
 * Rule: time is the test's own clock; bytes are counted as they are let through.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { MoverLimits } from '../../activities/limits.ts';
import type { Lane } from '../../activities/pace.ts';
import type { MoverLimitsPlan } from '../../model/shared-limits.ts';
import { type TestClock, testClock } from './clock.ts';

const MiB = 1024 ** 2;
const monday0700 = Date.parse('2026-11-23T06:00:00Z');
const mover = { kind: 'mover', name: 'm1' } as const;
const home = { kind: 'site', name: 'home' } as const;
const wan = { kind: 'link', name: 'wan' } as const;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-limits-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

interface Written {
  readonly mover?: string;
  readonly home?: string;
  readonly wan?: string;
  readonly west?: string;
  readonly cutover?: 'limited' | 'exempt';
}
const planOf = (written: Written): MoverLimitsPlan => {
  const rules = (rate: string | undefined) => (rate === undefined ? [] : [{ rate }]);
  return {
    mover: 'm1',
    cutover: written.cutover ?? 'limited',
    scopes: [
      { scope: mover, sharedBy: 1, rules: rules(written.mover) },
      { scope: home, sharedBy: 2, rules: rules(written.home) },
      { scope: { kind: 'site', name: 'west' }, sharedBy: 1, rules: rules(written.west) },
      { scope: { kind: 'site', name: 'east' }, sharedBy: 1, rules: [] },
      { scope: wan, sharedBy: 3, rules: rules(written.wan) },
    ],
  };
};

const open = (written: Written, clock: TestClock): Promise<MoverLimits> =>
  MoverLimits.open(planOf(written), folder, clock);

/** A disk that asks for pieces as fast as it gets them, `atOnce` at a time. */
function disk(lane: Lane, pieceBytes: number, atOnce = 4) {
  const stop = new AbortController();
  const seen = { bytes: 0, waiting: 0 };
  const one = async (): Promise<void> => {
    for (;;) {
      seen.waiting++;
      await lane.pace(pieceBytes, stop.signal).finally(() => seen.waiting--);
      seen.bytes += pieceBytes;
    }
  };
  for (let index = 0; index < atOnce; index++) one().catch(() => undefined);
  return Object.assign(seen, { stop: () => stop.abort(new Error('stopped')) });
}

test('R11 over any time a copy takes what its limit allows, and no more', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.record({ piece: fc.integer({ min: 64, max: 4096 }), atOnce: fc.integer({ min: 1, max: 8 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
      async (mibPerSecond, disks) => {
        const clock = testClock(monday0700);
        const limits = await open({ mover: `${mibPerSecond}MiB/s` }, clock);
        const copies = disks.map(({ piece, atOnce }) => disk(limits.lane('west', 'home', false), piece * 1024, atOnce));
        await clock.run(1_000);
        const before = copies.reduce((sum, { bytes }) => sum + bytes, 0);
        await clock.run(4_000);
        const moved = copies.reduce((sum, { bytes }) => sum + bytes, 0) - before;
        for (const copy of copies) copy.stop();
        const rate = mibPerSecond * MiB;
        const piece = Math.max(...disks.map((one) => one.piece)) * 1024;
        expect(moved).toBeLessThanOrEqual(rate * 4.25 + piece);
        expect(moved).toBeGreaterThanOrEqual(rate * 3.9 - piece);
        await clock.run(1);
      },
    ),
    { numRuns: 10 },
  );
});

test('R11 disks share by bytes, however large their pieces and however many they ask for at once', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '32MiB/s' }, clock);
  const large = disk(limits.lane('west', 'home', false), 4 * MiB, 8);
  const small = disk(limits.lane('west', 'home', false), 64 * 1024, 1);
  await clock.run(10_000);
  expect(Math.abs(large.bytes - small.bytes)).toBeLessThanOrEqual(2 * 4 * MiB);
  // One that comes later has no credit for the time it was not there.
  const late = disk(limits.lane('west', 'home', false), MiB, 2);
  const [before, then] = [large.bytes, late.bytes];
  await clock.run(10_000);
  expect(Math.abs(large.bytes - before - (late.bytes - then))).toBeLessThanOrEqual(2 * 4 * MiB);
  for (const copy of [large, small, late]) copy.stop();
});

test('R11 a cutover goes first and keeps the limit; where it is exempt it does not wait', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '32MiB/s' }, clock);
  const seed = disk(limits.lane('west', 'home', false), MiB);
  await clock.run(5_000);
  const before = seed.bytes;
  const cutover = disk(limits.lane('west', 'home', true), MiB);
  await clock.run(10_000);
  expect(seed.bytes - before).toBeLessThanOrEqual(2 * MiB);
  expect(cutover.bytes).toBeLessThanOrEqual(32 * 10.25 * MiB + MiB);
  expect(cutover.bytes).toBeGreaterThanOrEqual(32 * 9.9 * MiB);
  for (const copy of [seed, cutover]) copy.stop();

  const exempt = await open({ mover: '64KiB/s', cutover: 'exempt' }, clock);
  const lane = exempt.lane('west', 'home', true);
  for (let piece = 0; piece < 100; piece++) await lane.pace(4 * MiB, new AbortController().signal);
  expect(lane.limit()).toBeUndefined();
  // The others wait for it a second at most, not for all that it took.
  const other = disk(exempt.lane('west', 'home', false), 64 * 1024, 1);
  await clock.run(2_200);
  expect(other.bytes).toBeGreaterThanOrEqual(64 * 1024);
  // R4: whoever foretells the cutover must know that it will not wait.
  expect(exempt.lane('west', 'home', false).limit()).toMatchObject({ bytesPerSecond: 64 * 1024, cutover: 'exempt' });
  other.stop();
});

test('R11 the lowest of mover, site and link counts, sites and links by this mover’s share, and only the source’s own site', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '90MiB/s', home: '100MiB/s', wan: '120MiB/s', west: '10MiB/s' }, clock);
  expect(limits.lane('west', 'home', false).limit()).toEqual({
    bytesPerSecond: 10 * MiB,
    by: 'site west',
    holdsBack: false,
  });
  const east = limits.lane('east', 'home', false);
  expect(east.limit()).toEqual({ bytesPerSecond: 40 * MiB, by: 'link wan', holdsBack: false });
  const west = disk(limits.lane('west', 'home', false), MiB);
  const other = disk(east, MiB);
  await clock.run(10_000);
  // The one that waits for its own site leaves the link to the other.
  expect(west.bytes).toBeLessThanOrEqual(10.25 * 10 * MiB + MiB);
  expect(other.bytes).toBeGreaterThanOrEqual((400 - 100) * 0.97 * MiB);
  expect(east.limit()?.holdsBack).toBe(true);
  for (const copy of [west, other]) copy.stop();
});

test('R11 a limit set in a running copy holds at once, is kept over a restart, and is gone when it is cleared', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '64KiB/s' }, clock);
  const copy = disk(limits.lane('west', 'home', false), 4 * MiB, 1);
  await clock.run(10_000);
  expect(copy.bytes).toBe(4 * MiB);
  const set = { scope: mover, rule: { rate: '100MiB/s' }, by: 'ana', note: 'night shift' };
  const answer = await limits.hear({ mover: 'm1', set });
  expect(answer.scopes[0]).toMatchObject({ bytesPerSecond: 100 * MiB, set: { by: 'ana', note: 'night shift' } });
  await clock.run(1_000);
  expect(copy.bytes).toBeGreaterThanOrEqual(90 * MiB);

  const after = await open({ mover: '64KiB/s' }, clock);
  expect((await after.hear({ mover: 'm1' })).scopes[0]).toEqual(answer.scopes[0]);
  const cleared = await after.hear({ mover: 'm1', clear: { scope: mover, by: 'ben' } });
  expect(cleared.scopes[0]).toEqual({
    scope: mover,
    rules: [{ rate: '64KiB/s' }],
    sharedBy: 1,
    bytesPerSecond: 65_536,
  });
  expect((await (await open({ mover: '64KiB/s' }, clock)).hear({ mover: 'm1' })).scopes[0]).toEqual(cleared.scopes[0]);
  copy.stop();
});

test('R11 a window begins in the middle of a copy, and adding one keeps what homeward.yaml says elsewhere', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '64MiB/s' }, clock);
  const office = { rate: '1MiB/s', days: 'mon-fri', from: '07:00', to: '18:00', zone: 'Europe/Berlin' };
  const later = { ...office, from: '07:01' };
  const answer = await limits.hear({ mover: 'm1', set: { scope: mover, rule: later, by: 'ana' } });
  expect(answer.scopes[0]).toMatchObject({
    rules: [{ rate: '64MiB/s' }, later],
    bytesPerSecond: 64 * MiB,
    until: '2026-11-23T06:01:00.000Z',
  });
  const copy = disk(limits.lane('west', 'home', false), MiB);
  await clock.run(60_000);
  const before = copy.bytes;
  expect(before).toBeGreaterThanOrEqual(60 * 63 * MiB);
  await clock.run(61_000);
  expect(copy.bytes - before).toBeLessThanOrEqual(61.25 * MiB + 64 * MiB);
  expect(copy.bytes - before).toBeGreaterThanOrEqual(59 * MiB);
  copy.stop();
});

test('R11 a clock that is set back or on takes a copy to the window that holds by then', async () => {
  const at = (time: string): number => Date.parse(`2026-11-23T${time}Z`);
  const clock = testClock(at('17:30:00'));
  const limits = await open({ mover: '64MiB/s' }, clock);
  const office = { rate: '1MiB/s', days: 'mon-fri', from: '08:00', to: '18:00', zone: 'Europe/Berlin' };
  const first = await limits.hear({ mover: 'm1', set: { scope: mover, rule: office, by: 'ana' } });
  expect(first.scopes[0]).toMatchObject({ bytesPerSecond: 64 * MiB, until: '2026-11-24T07:00:00.000Z' });
  const copy = disk(limits.lane('west', 'home', false), MiB);
  for (const [wall, rate, until] of [
    ['16:30:00', 1, '2026-11-23T17:00:00.000Z'],
    ['17:30:00', 64, '2026-11-24T07:00:00.000Z'],
    ['06:30:00', 64, '2026-11-23T07:00:00.000Z'],
    ['16:59:00', 1, '2026-11-23T17:00:00.000Z'],
  ] as const) {
    await clock.run(2_000);
    clock.setWall(at(wall));
    await clock.run(2_000);
    const before = copy.bytes;
    await clock.run(10_000);
    expect(copy.bytes - before).toBeLessThanOrEqual(rate * 10.25 * MiB + MiB);
    expect(copy.bytes - before).toBeGreaterThanOrEqual(rate * 9.9 * MiB - MiB);
    expect((await limits.hear({ mover: 'm1' })).scopes[0]).toMatchObject({ bytesPerSecond: rate * MiB, until });
  }
  copy.stop();
});

test('a copy that waits for its limit ends at once with its own reason, and leaves the others their turn', async () => {
  const clock = testClock(monday0700);
  const limits = await open({ mover: '1MiB/s' }, clock);
  const [stop, stays] = [new AbortController(), new AbortController()];
  const lane = limits.lane('west', 'home', false);
  await lane.pace(4 * MiB, stays.signal);
  const reason = new Error('paused');
  const gone = lane.pace(MiB, stop.signal);
  const next = limits.lane('west', 'home', false).pace(MiB, stays.signal);
  stop.abort(reason);
  await expect(gone).rejects.toBe(reason);
  await expect(lane.pace(MiB, stop.signal)).rejects.toBe(reason);
  await clock.run(5_000);
  await next;
});

test.each([
  [{ mover: 'm2' }, 'the order is for mover m2'],
  [
    { mover: 'm1', set: { scope: mover, rule: { rate: '1 MB' }, by: 'ana' } },
    'malformed: set.rule.rate: this is no rate',
  ],
  [{ mover: 'm1', set: { scope: mover, rule: { rate: 'none' }, by: ' ' } }, 'malformed: set.by: say who you are'],
  [{ mover: 'm1', clear: { scope: { kind: 'site', name: 'moon' }, by: 'ana' } }, 'mover m1 is not under site moon'],
  ['now', 'malformed'],
])('an order that cannot be followed is refused and changes nothing', async (order, message) => {
  const limits = await open({}, testClock(monday0700));
  const before = await limits.hear({ mover: 'm1' });
  await expect(limits.hear(order)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining(message),
  });
  expect(await limits.hear({ mover: 'm1' })).toEqual(before);
});

test('a state that cannot be read stops the mover by name instead of lifting its limits', async () => {
  const clock = testClock(monday0700);
  await (await open({}, clock)).hear({ mover: 'm1', set: { scope: wan, rule: { rate: '1Gbit/s' }, by: 'ana' } });
  const file = join(folder, 'limits.json');
  const text = await readFile(file, 'utf8');
  for (const broken of [text.slice(0, -9), text.replace('1Gbit', '1Gbyte'), '']) {
    await writeFile(file, broken);
    await expect(open({}, clock)).rejects.toMatchObject({ kind: 'Refused', subject: file });
  }
});
