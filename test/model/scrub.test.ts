/**
 * What may be said of a disk's scrub, and what reading everything again inside the outage is expected to cost.
 */
import { forecastCompletion } from '../../model/forecast.ts';
import { isNews, rereadCost, rereadInFull, type ScrubReport, scrubsAfter, unscrubbed } from '../../model/scrub.ts';

const last = {
  ...{ disk: 'os', pass: 3, bytes: 1_000_000_000 },
  ...{ startedAt: '2026-11-25T10:00:00.000Z', endedAt: '2026-11-25T10:00:10.000Z' },
};
const scrubbed: ScrubReport = { disk: 'os', damages: 0, last };

test('S3 a disk was read again in full only after a whole pass, and not while damage is on it', () => {
  expect(rereadInFull(undefined)).toBe(false);
  expect(rereadInFull(unscrubbed('os'))).toBe(false);
  expect(rereadInFull({ ...scrubbed, damage: 'block 1' })).toBe(false);
  expect(rereadInFull(scrubbed)).toBe(true);
});

test('S3 a full copy makes void what was said of the disk before, a delta does not', () => {
  const after = (mode: 'full' | 'delta') => scrubsAfter([{ ...scrubbed, damages: 1 }], [{ disk: 'os', mode }]);
  expect(after('full')).toEqual([{ disk: 'os', damages: 1 }]);
  expect(after('delta')).toEqual([{ ...scrubbed, damages: 1 }]);
});

test('the cost of reading again is measured by the scrubs, assumed before, and a part of the outage', () => {
  expect(rereadCost(2_000_000_000, [scrubbed])).toEqual({ bytes: 2_000_000_000, seconds: 20, measured: true });
  const assumed = rereadCost(4 * 400 * 2 ** 20, [unscrubbed('os')]);
  expect(assumed).toEqual({ bytes: 4 * 400 * 2 ** 20, seconds: 4, measured: false });
  const round = { number: 1, mode: 'full' as const, takenAt: last.startedAt, endedAt: last.endedAt };
  const recent = [{ ...round, changedBytes: 10, copiedBytes: 10, durationMs: 1_000 }];
  const facts = { recent, sizeBytes: 100 };
  const at = Date.parse(last.endedAt);
  const [without, withIt] = [forecastCompletion(facts, at), forecastCompletion({ ...facts, reread: assumed }, at)];
  expect((withIt?.outageSeconds.likely ?? 0) - (without?.outageSeconds.likely ?? 0)).toBeCloseTo(4);
  expect((withIt?.outageSeconds.high ?? 0) - (without?.outageSeconds.high ?? 0)).toBeGreaterThan(4);
  expect(withIt?.reread).toEqual(assumed);
});

describe('what of a scrub is told to the story', () => {
  const at = (pass: number, minutes: number): ScrubReport => ({
    disk: 'os',
    damages: 0,
    last: {
      disk: 'os',
      pass,
      bytes: 1,
      startedAt: '',
      endedAt: new Date(Date.UTC(2026, 0, 1, 0, minutes)).toISOString(),
    },
  });

  test('L1 passes every minute for a year are told fewer than 400 times', () => {
    let told = 0;
    for (let pass = 2; pass <= 365 * 24 * 60; pass++) if (isNews(at(pass - 1, pass - 1), at(pass, pass))) told++;
    expect(told).toBeGreaterThan(364);
    expect(told).toBeLessThan(400);
  });

  test('S3 damage, its cure and a disk that cannot be read are always told, the same trouble once', () => {
    const well = at(50, 5);
    const hurt: ScrubReport = { disk: 'os', damages: 1, damage: 'block 3' };
    const silent: ScrubReport = { ...well, problem: 'Transient: gone' };
    expect([isNews(well, hurt), isNews(hurt, { disk: 'os', damages: 1 }), isNews(well, silent)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(isNews(silent, { ...silent, problem: 'Transient: gone again' })).toBe(false);
    expect(isNews(hurt, { ...hurt, damages: 2 })).toBe(true);
  });
});
