/**
 * What a look foretells of a run, in each phase it may stand in.
 */
import { ahead } from '../../client/ahead.ts';
import { parseInventory } from '../../config/load.ts';
import { type Phase, phases } from '../../model/phase.ts';
import type { RoundsStatus, Status } from '../../model/status.ts';
import { rightText } from '../config/inventory-text.ts';
import { ago, statusIn } from './views.ts';

const GiB = 1024 ** 3;

/** What is foretold of a run that has no round yet. */
const foretold = (phase: Phase, more: Partial<Status> = {}) =>
  Object.keys(ahead(statusIn(phase, more), undefined, [])).sort();
const before: readonly Phase[] = ['Preflight', 'Seeding', 'Syncing', 'AwaitingCutover'];

test('R4 an outage and a copy are foretold only of a run that comes to the completion of its failover', () => {
  const bound = ['copy', 'outageAhead'];
  for (const phase of phases) expect([phase, foretold(phase)]).toEqual([phase, before.includes(phase) ? bound : []]);
  for (const left of phases.filter((phase) => phase !== 'NeedsOperator'))
    expect([left, foretold('NeedsOperator', { left })]).toEqual([left, before.includes(left) ? bound : []]);
  expect(foretold('Seeding', { cancellation: { by: 'ana', at: ago(5) } })).toEqual([]);
  expect(foretold('Seeding', { outage: { startedAt: ago(5) } })).toEqual([]);
});

test('R4 with sync during the steps around the copy are foretold, and with the rate of the last run the copy in them', () => {
  const more = { sync: 'during' } as const;
  expect(foretold('AwaitingCutover', more)).toEqual(['copy', 'outageAhead']);
  const outageIn = (status: Status): number => ahead(status, undefined, []).outageAhead?.outageSeconds.likely ?? 0;
  const steps = outageIn(statusIn('AwaitingCutover', more));
  const rated = statusIn('AwaitingCutover', { ...more, measured: { bytesPerSecond: GiB } });
  expect(outageIn(rated)).toBe(steps + 130);
  expect(outageIn({ ...rated, sync: 'before' })).toBe(steps);
});

test('R4 while an outage lasts its whole length is foretold, once it is known what its copy has to move, unless it waits for a person', () => {
  const copying = { stage: 'copying', doneBytes: GiB, totalBytes: 3 * GiB, listedBytes: 3 * GiB, epoch: 1 } as const;
  const copies = ['os', 'data-0'].map((disk) => ({ ...copying, disk, bytesPerSecond: GiB / 10 }));
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.parse(ago(0)));
  const inAll = (status: Status, transfers: Parameters<typeof ahead>[2] = copies) =>
    ahead(status, undefined, transfers).outageInAll?.outageSeconds.likely;
  const outage = { startedAt: ago(90) };
  // 20 s are left of the copy; a seal and a start are assumed to take 2 s and 30 s.
  expect(inAll(statusIn('FinalSync', { outage }))).toBeCloseTo(90 + 20 + 2 + 30);
  expect(inAll(statusIn('FinalSync', { outage }), [])).toBeUndefined();
  const [first, ...others] = copies;
  expect(inAll(statusIn('FinalSync', { outage }), first && [{ ...first, stage: 'paused' }, ...others])).toBeUndefined();
  expect(inAll(statusIn('Sealing', { outage, phaseSince: ago(1) }), [])).toBeCloseTo(90 + 1 + 30);
  expect(inAll(statusIn('StartingTarget', { outage, phaseSince: ago(10) }), [])).toBeCloseTo(90 + 20);
  expect(inAll(statusIn('FinalSync', { outage, held: { by: 'ana', at: ago(1) } }))).toBeUndefined();
  expect(inAll(statusIn('FinalSync', { outage, cancellation: { by: 'ana', at: ago(1) } }))).toBeUndefined();
  expect(inAll(statusIn('NeedsOperator', { outage, left: 'FinalSync' }))).toBeUndefined();
  expect(inAll(statusIn('StartingTarget', { outage: { ...outage, endedAt: ago(1) } }), [])).toBeUndefined();
  clock.mockRestore();
});

test('R4 between two rounds a limit counts whose hours have begun by now, though the last round knew of none', () => {
  const monday = (time: string) => `2026-03-02T${time}:00Z`;
  const hours = '{ rate: 64KiB/s, from: "08:00", to: "18:00", zone: Europe/Berlin }';
  const limited = parseInventory(`${rightText}limits: { movers: { m1: [${hours}] } }\n`, 'h.yaml');
  const bytes = { changedBytes: 8e9, copiedBytes: 8e9, durationMs: 60_000 };
  const rounds: RoundsStatus = {
    ...{ done: 2, now: 'next round soon', changedBytes: 16e9, copiedBytes: 16e9 },
    recent: [
      { ...bytes, number: 1, mode: 'full', takenAt: monday('06:30'), endedAt: monday('06:31') },
      { ...bytes, number: 2, mode: 'delta', takenAt: monday('06:40'), endedAt: monday('06:41') },
    ],
  };
  const seconds = (now: string): number => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.parse(monday(now)));
    const { forecast } = ahead(statusIn('Syncing'), rounds, [], limited);
    clock.mockRestore();
    return forecast?.outageSeconds.likely ?? Number.NaN;
  };
  expect(seconds('06:59')).toBeLessThan(1_000);
  expect(seconds('07:01')).toBeGreaterThan(100_000);
});

test('R4 completing while the round after the seed is copied counts by what that round has to move', () => {
  const seed = { number: 1, mode: 'full', takenAt: ago(120), endedAt: ago(60), durationMs: 60_000 } as const;
  const rounds: RoundsStatus = {
    ...{ done: 1, now: 'round 2: copying', changedBytes: 8e9, copiedBytes: 8e9 },
    recent: [{ ...seed, changedBytes: 8e9, copiedBytes: 8e9 }],
  };
  const about = { doneBytes: 0, bytesPerSecond: 1e6, epoch: 1, totalBytes: GiB };
  const listing = { disk: 'os', stage: 'listing', ...about } as const;
  const copying = { ...listing, stage: 'copying', listedBytes: GiB } as const;
  const bytesAt = (...transfers: Parameters<typeof ahead>[2][number][]) =>
    ahead(statusIn('Syncing'), rounds, transfers).forecast?.bytes.likely;
  expect(bytesAt()).toBe(0);
  expect(bytesAt(listing)).toBe(0);
  expect(bytesAt(copying)).toBeGreaterThan(GiB);
});

test('R4 completing while a round is copied waits for it, so what it moves is not counted as left', () => {
  const round = { mode: 'delta', durationMs: 60_000, changedBytes: GiB, copiedBytes: GiB } as const;
  const rounds: RoundsStatus = {
    ...{ done: 3, now: 'round 4: copying', changedBytes: 3 * GiB, copiedBytes: 3 * GiB },
    recent: [300, 200, 100].map((since, index) => ({
      ...{ ...round, number: index + 1, takenAt: ago(since), endedAt: ago(since - 60) },
    })),
  };
  const about = { disk: 'os', stage: 'copying', epoch: 1, listedBytes: GiB } as const;
  const copying = { ...about, doneBytes: GiB / 2, totalBytes: GiB, bytesPerSecond: GiB / 40 };
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.parse(ago(0)));
  const bytesWith = (more: Partial<RoundsStatus>, ...transfers: Parameters<typeof ahead>[2][number][]) =>
    ahead(statusIn('Syncing'), { ...rounds, ...more }, transfers).forecast?.bytes.likely ?? Number.NaN;
  // A guest is assumed to write for 10 s of its stop; a hundredth of a GiB comes in each second.
  expect(bytesWith({}, copying) / GiB).toBeCloseTo(1.1);
  expect(bytesWith({ pointTakenAt: ago(10) }, copying) / GiB).toBeCloseTo(0.1 + 0.2 + 0.1);
  // Nobody knows how long it takes before its list is read: rather too much than too little.
  expect(bytesWith({ pointTakenAt: ago(10) }) / GiB).toBeCloseTo(1.1);
  clock.mockRestore();
});

test('L1 beside a seal nothing is still to be moved; what is copied again there is', () => {
  const about = { doneBytes: 0, bytesPerSecond: 0, epoch: 1 };
  const os = { disk: 'os', stage: 'sealing', seal: true, totalBytes: 30 * GiB, ...about } as const;
  const data = { disk: 'data-0', stage: 'copying', totalBytes: GiB, listedBytes: GiB, ...about } as const;
  expect(ahead(statusIn('Sealing'), undefined, [os])).toEqual({});
  expect(ahead(statusIn('Sealing'), undefined, [os, data]).copy?.bytes).toEqual({ likely: GiB, low: GiB, high: GiB });
});
