/**
 * Forecasts against what becomes true, on simulated machines: inside the band nine times of ten, limits and measured steps
 * counted, the bound before the start.
 * Rule: the simulated worlds are drawn from a fixed seed, so that a miss is the same everywhere.
 */
import fc from 'fast-check';
import { copyText, earlyOutageText, outageInAllText } from '../../client/render/ahead.ts';
import { errorPercent, within } from '../../model/band.ts';
import {
  forecastCompletion,
  forecastCopy,
  forecastEnd,
  forecastOutage,
  forecastStart,
  type Measured,
  underLimit,
} from '../../model/forecast.ts';
import type { TransferProgress } from '../../model/progress.ts';
import { rateOfLargest } from '../../model/rates-seen.ts';
import { beginning, roundsOf } from './rounds-of.ts';

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;

test('S000-21 R4 before the start nothing but the bound is known: from nothing to the sum of the disks', () => {
  expect(forecastStart([30 * GiB, 100 * GiB])).toEqual({
    listed: false,
    bytes: { likely: 130 * GiB, low: 0, high: 130 * GiB },
  });
  const again = forecastStart([30 * GiB], { bytesPerSecond: 30 * MiB });
  expect(again.seconds).toEqual({ likely: 1024, low: 0, high: 1536 });
});

test('R4 a limit bounds the time of the first copy from below, whatever rate the last run had', () => {
  const bound = forecastStart([10 * GiB], { bytesPerSecond: 30 * MiB });
  expect(underLimit(bound, 10 * MiB)).toEqual({ ...bound, atLimit: { bytesPerSecond: 10 * MiB, seconds: 1024 } });
  expect(underLimit(bound, undefined)).toEqual(bound);
  // Once the lists are read the movers say themselves which limit they are under.
  const listed = { ...bound, listed: true };
  expect(underLimit(listed, 10 * MiB)).toEqual(listed);
  expect(copyText(underLimit(bound, 10 * MiB))).toContain(
    '; all of it takes 17 min or more at the 10.0 MiB/s that homeward.yaml allows now; known once',
  );
});

test('R4 a rate is that of what a mover worked, and of no round that stood still for nobody knows how long', () => {
  const machine = {
    seedBytes: 64 * GiB,
    link: 64 * MiB,
    pauseSeconds: 1,
    pointSeconds: 1,
    fixedSeconds: 0,
    churn: [MiB],
  };
  const { rounds } = roundsOf(machine, 3);
  const [seed, ...deltas] = rounds;
  if (!seed) throw new Error('no seed');
  const rate = rateOfLargest(rounds) ?? 0;
  const paused = { ...seed, stood: true, durationMs: 10 * seed.durationMs } as const;
  expect(rateOfLargest([{ ...paused, moverMs: seed.durationMs - (seed.pointMs ?? 0) }, ...deltas])).toBeCloseTo(rate);
  expect(rateOfLargest([paused, ...deltas])).toBe(rateOfLargest(deltas));
  // Better than none.
  expect(rateOfLargest([paused])).toBeGreaterThan(0);
});

const zero = { likely: 0, low: 0, high: 0 };
const measured: Measured = { stopMs: 40_000, sealMs: 1_000, startMs: 20_000 };

/** One machine whose changes come unevenly, by a seeded generator: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Completes a simulated run at a random moment; what was forecast and what became true. */
function completed(seed: number) {
  const random = randomOf(seed);
  const link = (20 + 180 * random()) * MiB;
  const mean = link * (0.02 + 0.5 * random());
  const uneven = () => mean * (0.5 + random());
  const deltas = 1 + Math.floor(random() * 12);
  const churn = Array.from({ length: deltas + 1 }, uneven);
  const machine = {
    ...{ seedBytes: (4 + 60 * random()) * GiB, link, churn },
    ...{ pauseSeconds: 30 + 300 * random(), pointSeconds: 2 + 10 * random(), fixedSeconds: 0.5 + 2 * random() },
  };
  const { rounds, endSeconds } = roundsOf(machine, deltas);
  const nowSeconds = endSeconds - machine.pauseSeconds * random();
  const said = forecastCompletion({ recent: rounds, measured, sizeBytes: 500 * GiB }, beginning + nowSeconds * 1000);
  if (!said) throw new Error('a run with rounds has a forecast');
  const steps = [40, 1, 20].map((seconds) => seconds * (0.7 + 0.6 * random()));
  const last = Date.parse(rounds.at(-1)?.takenAt ?? '');
  const ageSeconds = (beginning - last) / 1000 + nowSeconds + (steps[0] ?? 0);
  const bytes = (churn[deltas] ?? 0) * ageSeconds;
  const final = machine.pointSeconds + machine.fixedSeconds + bytes / link;
  return { said, bytes, outageSeconds: final + steps.reduce((sum, one) => sum + one, 0) };
}

test('R4 C8 nine of ten outages and deltas end inside the band that was said, and half of them within a fifth', () => {
  const runs = Array.from({ length: 2_000 }, (_, seed) => completed(seed));
  const share = (holds: (run: ReturnType<typeof completed>) => boolean) => runs.filter(holds).length / runs.length;
  expect(share(({ said, bytes }) => within(said.bytes, bytes))).toBeGreaterThanOrEqual(0.9);
  expect(share(({ said, outageSeconds }) => within(said.outageSeconds, outageSeconds))).toBeGreaterThanOrEqual(0.9);
  const errors = runs.map(({ said, outageSeconds }) => errorPercent(said.outageSeconds.likely, outageSeconds));
  expect(errors.filter((error) => error <= 20).length / errors.length).toBeGreaterThanOrEqual(0.5);
  // A band that always holds because it is endless says nothing.
  expect(share(({ said }) => said.outageSeconds.high > 6 * said.outageSeconds.likely)).toBeLessThanOrEqual(0.1);
});

const steady = roundsOf(
  { seedBytes: 8 * GiB, link: 100 * MiB, churn: [10 * MiB], pauseSeconds: 60, pointSeconds: 2, fixedSeconds: 1 },
  4,
);
const at = beginning + steady.endSeconds * 1000;
const facts = { recent: steady.rounds, measured, sizeBytes: 64 * GiB };

test('R4 a limit in force counts: the lower it is, the longer the outage, and none is never shorter than its bytes', () => {
  const rates = fc.integer({ min: 64 * 1024, max: 400 * MiB });
  fc.assert(
    fc.property(rates, rates, (one, other) => {
      const said = (bytesPerSecond: number) =>
        forecastCompletion({ ...facts, limit: { bytesPerSecond } }, at)?.outageSeconds;
      const [slow, fast] = [said(Math.min(one, other)), said(Math.max(one, other))];
      expect(slow?.likely).toBeGreaterThanOrEqual(fast?.likely ?? Number.NaN);
      const bytes = forecastCompletion(facts, at)?.bytes.likely ?? Number.NaN;
      expect(slow?.likely).toBeGreaterThanOrEqual(bytes / Math.min(one, other));
    }),
  );
});

test('R4 the limit of the last round counts where nobody says another', () => {
  const limit = { bytesPerSecond: 64 * 1024, by: 'mover m1' };
  const recent = steady.rounds.map((round) => ({ ...round, limit }));
  expect(forecastCompletion({ ...facts, recent }, at)).toEqual(forecastCompletion({ ...facts, limit }, at));
  expect(forecastCompletion({ ...facts, recent }, at)).not.toEqual(forecastCompletion(facts, at));
});

test('R4 a limit that a cutover is exempt from does not count, neither now nor as the last round knew it', () => {
  const limit = { bytesPerSecond: 64 * 1024, by: 'mover m1', cutover: 'exempt' } as const;
  const [last, ...before] = [...steady.rounds].reverse();
  if (!last) throw new Error('no round');
  const free = forecastCompletion(facts, at);
  expect(free).toBeDefined();
  expect(forecastCompletion({ ...facts, limit }, at)).toEqual(free);
  const recent = [...before.reverse(), { ...last, limit }];
  expect(forecastCompletion({ ...facts, recent }, at)).toEqual(free);
});

test('R4 rounds that ran into a limit which a cutover is exempt from leave open how much faster that is', () => {
  const slow = steady.rounds.map((round) => ({ ...round, durationMs: 100 * round.durationMs }));
  const held = slow.map((round) => {
    const bytesPerSecond = (round.copiedBytes / Math.max(1, round.durationMs - (round.pointMs ?? 0))) * 1000;
    return { ...round, limit: { bytesPerSecond, by: 'mover m1', cutover: 'exempt' as const } };
  });
  const [free, exempt] = [slow, held].map((recent) => forecastCompletion({ ...facts, recent }, at)?.outageSeconds);
  if (!free || !exempt) throw new Error('no forecast');
  expect(exempt.low).toBeLessThan(free.low);
  expect([exempt.likely, exempt.high]).toEqual([free.likely, free.high]);
});

test('R4 what was measured takes the place of what is assumed, step by step, and is said', () => {
  const said = (some: Measured) => forecastCompletion({ ...facts, measured: some }, at);
  expect(said({})?.assumed).toEqual(['stop', 'seal', 'start']);
  expect(said({ stopMs: 1_000 })?.assumed).toEqual(['seal', 'start']);
  expect(said(measured)?.assumed).toEqual([]);
  const [slow, quick] = [said({ ...measured, startMs: 300_000 }), said({ ...measured, startMs: 5_000 })];
  expect((slow?.outageSeconds.likely ?? 0) - (quick?.outageSeconds.likely ?? 0)).toBeCloseTo(295);
});

test('R4 after the seed alone the changes are unknown up to all that was copied; before it nothing is said', () => {
  expect(forecastCompletion({ ...facts, recent: [] }, at)).toBeUndefined();
  const { bytes } = forecastCompletion({ ...facts, recent: steady.rounds.slice(0, 1) }, at) ?? {};
  expect(bytes).toEqual({ likely: 0, low: 0, high: 8 * GiB });
});

test('R4 a guest that is told to stop writes for some seconds, not for all that Azure takes to stop the machine', () => {
  const [last] = steady.rounds.slice(-1);
  const now = Date.parse(last?.takenAt ?? '');
  const said = (stopMs?: number) => forecastCompletion({ ...facts, measured: { stopMs } }, now)?.bytes;
  const perSecond = (said(1_000)?.likely ?? 0) / 1;
  expect(perSecond).toBeGreaterThan(0);
  for (const stopMs of [60_000, undefined]) {
    expect(said(stopMs)?.likely).toBeCloseTo(10 * perSecond, -4);
    expect(said(stopMs)?.low).toBe(0);
    expect(said(stopMs)?.high).toBeGreaterThan(60 * perSecond);
  }
});

test('R4 the list of the round after the seed tells how fast changes come, before that round is done', () => {
  const [seed] = steady.rounds;
  if (!seed) throw new Error('no seed');
  const took = Date.parse(seed.endedAt) - Date.parse(seed.takenAt);
  const now = Date.parse(seed.endedAt) + took;
  const said = (underWay?: number) => forecastCompletion({ ...facts, recent: [seed], underWay }, now);
  expect(said()?.bytes.likely).toBe(0);
  // As much again came since the point of the round under way, and the machine writes on until its guest is down.
  const { bytes, outageSeconds } = said(100 * MiB) ?? {};
  expect(bytes?.likely).toBeGreaterThanOrEqual(200 * MiB);
  expect(bytes?.low).toBeLessThan(100 * MiB);
  expect(bytes?.high).toBeGreaterThan(600 * MiB);
  expect(outageSeconds?.likely).toBeGreaterThan(said()?.outageSeconds.likely ?? Number.NaN);
  // Once a round of changes is done, it knows better.
  const recent = steady.rounds.slice(0, 2);
  expect(forecastCompletion({ ...facts, recent, underWay: GiB }, at)).toEqual(
    forecastCompletion({ ...facts, recent }, at),
  );
});

test('R4 what the round under way brings before the outage is not counted once more, and what comes until it ends is', () => {
  const [link, churn, pointSeconds] = [100 * MiB, 80 * MiB, 2];
  const machine = { seedBytes: 8 * GiB, link, churn: [churn], pauseSeconds: 0, pointSeconds, fixedSeconds: 1 };
  const { rounds } = roundsOf(machine, 4);
  const [underWay, ...before] = [...rounds].reverse();
  if (!underWay) throw new Error('no round');
  const recent = before.reverse();
  const [from, until] = [Date.parse(underWay.takenAt), Date.parse(underWay.endedAt)];
  // Of the 40 s of a stop.
  const stopSeconds = 10;
  for (const share of [0.1, 0.5, 0.9]) {
    const now = from + (until - from) * share;
    const left = (until - now) / 1000;
    const waitsFor = { takenAt: underWay.takenAt, seconds: { likely: left, low: left / 2, high: left * 2 } };
    const said = forecastCompletion({ ...facts, recent, waitsFor }, now)?.bytes;
    expect(said?.likely).toBeCloseTo(churn * ((until - from) / 1000 + stopSeconds), -6);
    expect(said && within(said, said.likely)).toBe(true);
    const open = forecastCompletion(
      { ...facts, recent, waitsFor: { ...waitsFor, seconds: { ...waitsFor.seconds, high: 900 } } },
      now,
    );
    expect(open?.bytes.high).toBeGreaterThan(said?.high ?? Number.NaN);
  }
  // The seed's own changes are those between two points, and that of the round under way is known.
  const seeded = { ...facts, recent: recent.slice(0, 1), underWay: 100 * MiB };
  const point = { takenAt: new Date(Date.parse(recent[0]?.takenAt ?? '') + 100_000).toISOString(), seconds: zero };
  const early = forecastCompletion({ ...seeded, waitsFor: point }, Date.parse(point.takenAt));
  expect(early?.bytes.likely).toBeCloseTo(MiB * stopSeconds, -3);
});

test('R4 before the first round the outage is told without what will have changed, from what was measured or is assumed', () => {
  const early = forecastOutage({});
  expect(early).toEqual({ outageSeconds: { likely: 94, low: 7.2, high: 540 }, assumed: ['stop', 'seal', 'start'] });
  const again = forecastOutage({ measured: { stopMs: 40_000, startMs: 20_000 } });
  expect(again.assumed).toEqual(['seal']);
  expect(again.outageSeconds.likely).toBe(40 + 2 + 20 + 2);
  // Whatever the rounds then find comes on top of it.
  const first = forecastCompletion({ ...facts, measured: {}, recent: steady.rounds.slice(0, 1) }, at);
  expect(first?.outageSeconds.high).toBeGreaterThan(early.outageSeconds.high);
  expect(earlyOutageText(early)).toBe(
    'about 94 s (7.2 s to 9 min) of outage, and longer by what changes while the first copy runs, which is known after it; stop, seal and start are assumed, no run has measured them yet',
  );
  const reread = { bytes: 64 * GiB, seconds: 100, measured: true };
  expect(forecastOutage({ reread }).outageSeconds.likely).toBe(194);
  expect(earlyOutageText(forecastOutage({ reread }))).toContain('100 s of it to read all 64.0 GiB again');
});

test('R4 where every disk is copied inside the outage its bytes are bounded, and the time is whole only with a rate', () => {
  const bound = { listed: false, bytes: { likely: 8 * GiB, low: 0, high: 8 * GiB } };
  expect(earlyOutageText(forecastOutage({}), bound)).toBe(
    'about 94 s (7.2 s to 9 min) of outage, and longer by the copy of every disk, of up to 8.0 GiB, which lies inside it and is known once the lists are read; stop, seal and start are assumed, no run has measured them yet',
  );
  const measured = { stopMs: 40_000, sealMs: 2_000, startMs: 20_000, bytesPerSecond: GiB / 10 };
  const rated = forecastStart([5 * GiB, 3 * GiB], measured);
  const whole = forecastOutage({ measured }, rated.seconds);
  expect(whole.outageSeconds.likely).toBe(40 + 2 + 20 + 2 + 80);
  expect(whole.outageSeconds.low).toBeLessThan(40);
  expect(whole.outageSeconds.high).toBeGreaterThan(120 + 60);
  expect(earlyOutageText(whole, rated)).toMatch(
    /of outage, with the copy of every disk inside it, of up to 8\.0 GiB at the rate of the last run$/,
  );
});

describe('R4 an outage that has begun', () => {
  const measured = { stopMs: 40_000, sealMs: 4_000, startMs: 20_000 };
  const moving = { likely: 30, low: 20, high: 60 };

  test('ends with what its copy still takes and the steps behind it, once the lists say what that is', () => {
    const inCopy = { seconds: 50, step: 'moving', inStep: 10 } as const;
    expect(forecastEnd({ measured }, inCopy, undefined)).toBeUndefined();
    const end = forecastEnd({ measured: {} }, inCopy, moving);
    expect(end).toEqual({ outageSeconds: { likely: 112, low: 72.2, high: 380 }, assumed: ['seal', 'start'] });
    expect(forecastEnd({ measured }, inCopy, moving)?.assumed).toEqual([]);
    expect(end && outageInAllText(end)).toBe(
      'about 112 s (72 s to 6 min) of outage in all; seal and start are assumed, no run has measured them yet',
    );
    const reread = { bytes: GiB, seconds: 100, measured: true };
    expect(forecastEnd({ measured: {}, reread }, inCopy, moving)?.outageSeconds.likely).toBe(212);
  });

  test('comes no nearer its end while a step stands still, and never ends before now', () => {
    const at = (inStep: number) =>
      forecastEnd({ measured }, { seconds: 60 + inStep, step: 'seal', inStep }, undefined)?.outageSeconds;
    expect(at(0)?.likely).toBe(60 + 4 + 20);
    expect(at(3)?.likely).toBe(60 + 4 + 20);
    expect(at(100)).toEqual({ likely: 180, low: 170, high: 192 });
    const last = forecastEnd({ measured }, { seconds: 90, step: 'start', inStep: 500 }, undefined);
    expect(last).toEqual({ outageSeconds: { likely: 90, low: 90, high: 90 }, assumed: [] });
  });
});

test('R4 every forecast lies in its own band, and no more changes than the disks hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 40 * 86_400 }), (deltas, later) => {
      const said = forecastCompletion({ ...facts, recent: steady.rounds.slice(0, deltas + 1) }, at + later * 1000);
      for (const band of [said?.bytes, said?.outageSeconds]) {
        expect(band?.low).toBeLessThanOrEqual(band?.likely ?? Number.NaN);
        expect(band?.likely).toBeLessThanOrEqual(band?.high ?? Number.NaN);
      }
      expect(said?.bytes.high).toBeLessThanOrEqual(64 * GiB);
    }),
  );
});

const disks = [
  { disk: 'os', sizeBytes: 30 * GiB },
  { disk: 'data-0', sizeBytes: 100 * GiB },
];
const copying = (disk: string, more: Partial<TransferProgress>): TransferProgress => ({
  ...{ disk, stage: 'copying', doneBytes: 0, totalBytes: 30 * GiB, bytesPerSecond: 0, epoch: 1 },
  ...more,
});

test('R4 while a list is still to be read its disk counts up to its size; then the lists say the bytes', () => {
  const os = copying('os', { listedBytes: 8 * GiB, doneBytes: 3 * GiB, bytesPerSecond: 100 * MiB });
  const waiting = copying('data-0', { stage: 'listing', totalBytes: 100 * GiB });
  expect(forecastCopy(disks, [os, waiting])).toEqual({
    listed: false,
    bytes: { likely: 108 * GiB, low: 8 * GiB, high: 108 * GiB },
  });
  const both = forecastCopy(disks, [os, { ...waiting, stage: 'copying', listedBytes: 20 * GiB }]);
  expect(both?.bytes).toEqual({ likely: 28 * GiB, low: 28 * GiB, high: 28 * GiB });
  expect(both?.seconds?.likely).toBeCloseTo((127 * GiB) / (100 * MiB));
  expect(forecastCopy(disks, [])).toBeUndefined();
});

test('R4 a copy under a limit takes at least what its bytes need at that limit, and a newer attempt counts', () => {
  const limit = { bytesPerSecond: 10 * MiB, by: 'mover m1', holdsBack: true };
  const os = copying('os', { listedBytes: 8 * GiB, bytesPerSecond: 800 * MiB, limit });
  const said = forecastCopy(disks, [os, { ...os, listedBytes: 9 * GiB, epoch: 0 }]);
  expect(said?.seconds?.likely).toBeCloseTo((8 * GiB) / (10 * MiB));
  expect(said?.seconds?.low).toBeGreaterThan(((8 * GiB) / (10 * MiB)) * 0.89);
});

test('R4 changes that are fetched with what lies between them count as what is fetched, also under a limit', () => {
  const limit = { bytesPerSecond: MiB, by: 'mover m1', holdsBack: true };
  const sent = { fetchBytes: 25 * MiB, totalBytes: 25 * MiB, doneBytes: 5 * MiB, bytesPerSecond: 40 * MiB };
  const said = forecastCopy(disks, [copying('os', { listedBytes: MiB / 2, ...sent, limit })]);
  expect(said?.bytes.likely).toBe(25 * MiB);
  expect(said?.seconds?.likely).toBeCloseTo(20);
});

test('R4 completing counts the bytes that rounds send, which may be many times those that changed', () => {
  const recent = steady.rounds.map((round) => ({ ...round, changedBytes: round.changedBytes / 37 }));
  const [few, all] = [forecastCompletion({ ...facts, recent }, at), forecastCompletion(facts, at)];
  expect(few?.bytes.likely).toBe(all?.bytes.likely);
  expect(few?.outageSeconds).toEqual(all?.outageSeconds);
});

test('R4 the error of a forecast is told in percent of what became true', () => {
  expect(errorPercent(120, 100)).toBe(20);
  expect(errorPercent(80, 100)).toBe(20);
});
