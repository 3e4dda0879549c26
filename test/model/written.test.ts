/**
 * The sum of what a machine has written at home, from samples written out by hand.
 * Rule: whatever is asked twice, comes late or is missing, the sum is never more than the samples say.
 */
import {
  addSamples,
  counted,
  fromStart,
  type WriteSample,
  type Written,
  writtenText,
  writtenThere,
} from '../../model/written.ts';

const start = '2026-01-02T10:00:00.000Z';
const after = (seconds: number): string => new Date(Date.parse(start) + seconds * 1000).toISOString();
/** The sample that ends so many seconds after the start. */
const sample = (seconds: number, bytes = 1000): WriteSample => ({ at: after(seconds), seconds: 20, bytes });
const row = (from: number, to: number): WriteSample[] =>
  Array.from({ length: (to - from) / 20 }, (_, index) => sample(from + 20 * (index + 1)));

test('S5 the samples since the start of the machine are added up, whatever order they come in', () => {
  expect(addSamples(fromStart(start), row(0, 100).toReversed())).toEqual({ bytes: 5000, until: after(100) });
  expect(addSamples(fromStart(start), [])).toEqual({ bytes: 0, until: start });
});

test('S5 a sample that was asked for twice counts once, and so does one from before the start', () => {
  const once = addSamples(fromStart(start), [...row(-60, 0), ...row(0, 100)]);
  expect(once.bytes).toBe(5000);
  expect(addSamples(once, row(40, 140))).toEqual({ bytes: 7000, until: after(140) });
  expect(addSamples(once, row(0, 100))).toEqual(once);
  expect(addSamples(fromStart(start), [sample(20), sample(20)]).bytes).toBe(1000);
});

test('S5 where the hour of samples that is kept does not reach back to the last count, the sum is an at least, for good', () => {
  const known = addSamples(fromStart(start), row(0, 60));
  expect(known).not.toHaveProperty('gap');
  const late = addSamples(known, row(600, 660));
  expect(late).toEqual({ bytes: 6000, until: after(660), gap: true });
  expect(addSamples(late, row(660, 720))).toEqual({ bytes: 9000, until: after(720), gap: true });
});

test('S5 a sample that does not tell of every disk makes the sum an at least, for good', () => {
  const partly = addSamples(fromStart(start), [sample(20), { ...sample(40), partly: true }]);
  expect(partly).toEqual({ bytes: 2000, until: after(40), gap: true });
  expect(addSamples(partly, [sample(60)])).toEqual({ bytes: 3000, until: after(60), gap: true });
});

test('S5 a machine that was switched off in between and wrote again is counted on, as an at least', () => {
  const restarted = addSamples(addSamples(fromStart(start), row(0, 60)), row(180, 240));
  expect(restarted).toEqual({ bytes: 6000, until: after(240), gap: true });
});

test('S5 a machine that was started again before the first count has written what nobody can count any more', () => {
  expect(fromStart(after(300), start)).toEqual({ bytes: 0, until: after(300) });
  expect(fromStart(after(1200), start)).toEqual({ bytes: 0, until: after(1200), gap: true });
});

test('S5 the first sample of a machine may begin a little after its start, and one sample may be missing', () => {
  expect(addSamples(fromStart(start), row(20, 60))).not.toHaveProperty('gap');
  expect(addSamples(fromStart(start), [...row(0, 40), ...row(60, 100)])).not.toHaveProperty('gap');
  expect(addSamples(fromStart(start), row(80, 100))).toHaveProperty('gap', true);
});

test('S5 a sample whose time cannot be read is not counted', () => {
  const known = addSamples(fromStart(start), row(0, 60));
  expect(addSamples(known, [{ at: 'now', seconds: 20, bytes: 9 }])).toEqual(known);
});

const written: Written = { bytes: 1_400_000_000, until: after(1920) };

test('S5 a count that comes after a newer one, or after the machine was stopped, changes nothing', () => {
  const live = { liveSince: start, written };
  expect(counted(live, start, { written: fromStart(start) })).toEqual(live);
  expect(counted({}, start, { written })).toEqual({});
  expect(counted({ liveSince: after(60) }, start, { written })).toEqual({ liveSince: after(60) });
});

test('S5 a count that failed keeps what was counted, and says why until the next one that does not fail', () => {
  const failed = counted({ liveSince: start, written }, start, { uncounted: 'no right' });
  expect(failed).toEqual({ liveSince: start, written, uncounted: 'no right' });
  const newer = { bytes: 1_500_000_000, until: after(3600) };
  expect(counted(failed, start, { written: newer })).toEqual({ liveSince: start, written: newer });
});

test('S5 the words tell the amount, until when, whose count it is, and what is missing in it', () => {
  expect(writtenText({ written })).toBe(
    "it wrote about 1.3 GiB to its disks until 2026-01-02T10:32:00.000Z (vCenter's count)",
  );
  expect(writtenText({ written: { ...written, gap: true } }, () => '10:32')).toBe(
    "it wrote at least 1.3 GiB to its disks until 10:32 (vCenter's count)",
  );
  expect(writtenText({ written, uncounted: 'vCenter is away' }, () => '10:32')).toBe(
    "it wrote about 1.3 GiB to its disks until 10:32 (vCenter's count); since then nobody has counted (vCenter is away)",
  );
  expect(writtenText({})).toBe('how much that is nobody has counted');
  expect(writtenText({}, undefined, writtenThere)).toBe('how much was written there since, nobody has counted');
  expect(writtenText({ uncounted: 'no right' })).toBe('how much that is nobody has counted (no right)');
});
