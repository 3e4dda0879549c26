/**
 * The law of limits: rates as people write them, calendar windows that know summer time, and which rule counts.
 * Rule: the next change is compared with looking at every minute; local time with what Intl prints as text.
 */
import fc from 'fast-check';
import { type CalendarWindow, holdsAt, nextChange, parseDays, parseTime, weekdays } from '../../model/calendar.ts';
import { compile, type LimitRule, limitRule, rateAt, ruleText, withRule } from '../../model/limit.ts';
import { parseRate } from '../../model/rate.ts';

const MiB = 1024 ** 2;

test.each([
  ['100MiB/s', 100 * MiB],
  ['1.5 GiB/s', 1536 * MiB],
  ['1Gbit/s', 125_000_000],
  ['10 MB/s', 10_000_000],
  ['64KiB/s', 65_536],
  ['none', null],
])('R11 the rate %s is read as %s', (text, expected) => {
  expect(parseRate(text)).toBe(expected);
});

test.each(['', '100', 'MiB/s', '100MiB', '100 mib/s', '100Mb/s', '1e3MiB/s', '-1MiB/s', '63KiB/s', '0GiB/s', 'None'])(
  'R11 "%s" is no rate',
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);

test.each([
  ['mon-fri', 'mon,tue,wed,thu,fri'],
  ['sat,sun', 'sat,sun'],
  ['fri-mon', 'mon,fri,sat,sun'],
  ['mon', 'mon'],
  ['mon-wed,sun', 'mon,tue,wed,sun'],
])('the days %s are %s', (text, expected) => {
  const days = parseDays(text);
  expect(weekdays.filter((day) => days?.has(day)).join()).toBe(expected);
});

test.each(['', 'monday', 'mon-', 'mon-tue-wed', 'Mon', 'mon;tue'])('"%s" are no days', (text) => {
  expect(parseDays(text)).toBeUndefined();
});

const every = 'mon-sun';
const windowOf = (days: string, from: string, to: string, zone: string): CalendarWindow => ({
  days: parseDays(days) ?? new Set(),
  fromMinute: parseTime(from) ?? Number.NaN,
  toMinute: parseTime(to) ?? Number.NaN,
  zone,
});
const at = (iso: string): number => Date.parse(iso);

test.each([
  // Working hours in winter (UTC+1) and in summer (UTC+2).
  ['mon-fri', '08:00', '18:00', 'Europe/Berlin', '2026-01-15T06:59:59Z', false],
  ['mon-fri', '08:00', '18:00', 'Europe/Berlin', '2026-01-15T07:00:00Z', true],
  ['mon-fri', '08:00', '18:00', 'Europe/Berlin', '2026-07-15T06:00:00Z', true],
  ['mon-fri', '08:00', '18:00', 'Europe/Berlin', '2026-07-15T16:00:00Z', false],
  ['mon-fri', '08:00', '18:00', 'Europe/Berlin', '2026-07-18T10:00:00Z', false],
  // Past midnight it belongs to the day on which it began.
  ['fri', '22:00', '06:00', 'America/New_York', '2026-11-28T03:00:00Z', true],
  ['fri', '22:00', '06:00', 'America/New_York', '2026-11-28T10:59:00Z', true],
  ['fri', '22:00', '06:00', 'America/New_York', '2026-11-28T11:00:00Z', false],
  ['fri', '22:00', '06:00', 'America/New_York', '2026-11-27T10:00:00Z', false],
  // The night in which 02:00 to 03:00 does not exist, and the one in which it comes twice.
  [every, '02:00', '03:00', 'Europe/Berlin', '2026-03-29T01:00:00Z', false],
  [every, '02:00', '03:00', 'Europe/Berlin', '2026-10-25T00:30:00Z', true],
  [every, '02:00', '03:00', 'Europe/Berlin', '2026-10-25T01:30:00Z', true],
  [every, '02:00', '03:00', 'Europe/Berlin', '2026-10-25T02:00:00Z', false],
  // Zones that are not whole hours away, and one that turns its clock by half an hour.
  [every, '00:00', '00:01', 'Asia/Kathmandu', '2026-05-01T18:15:30Z', true],
  [every, '02:15', '02:20', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z', false],
  [every, '00:00', '24:00', 'Asia/Tokyo', '2026-05-01T15:00:00Z', true],
])('R11 the window %s %s to %s in %s at %s: %s', (days, from, to, zone, when, expected) => {
  expect(holdsAt(windowOf(days, from, to, zone), at(when))).toBe(expected);
});

test('a window that always holds never changes', () => {
  expect(nextChange(windowOf(every, '00:00', '24:00', 'Europe/Berlin'), at('2026-03-28T12:00:00Z'))).toBeUndefined();
});

test.each([
  // An hour that comes twice brings the window twice, one that is skipped takes it along.
  ['02:30', '02:45', '2026-10-25T00:46:00Z', '2026-10-25T01:30:00Z'],
  ['02:30', '02:45', '2026-03-29T00:10:00Z', '2026-03-30T00:30:00Z'],
  ['01:00', '02:30', '2026-10-25T00:40:00Z', '2026-10-25T01:00:00Z'],
])('R11 after the window %s to %s changes in the night of %s at %s', (from, to, when, next) => {
  expect(nextChange(windowOf(every, from, to, 'Europe/Berlin'), at(when))).toBe(at(next));
});

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'UTC',
];
const minuteMs = 60_000;
/** Around the nights in which clocks are turned, and anywhere else. */
const moments = fc.oneof(
  fc
    .constantFrom(
      '2026-03-29T01:00Z',
      '2026-10-25T01:00Z',
      '2026-03-08T07:00Z',
      '2026-11-01T06:00Z',
      '2026-10-03T15:30Z',
    )
    .chain((iso) => fc.integer({ min: -2_000, max: 2_000 }).map((minutes) => at(iso) + minutes * minuteMs)),
  fc
    .integer({ min: at('2026-01-01T00:00Z') / minuteMs, max: at('2027-01-01T00:00Z') / minuteMs })
    .map((m) => m * minuteMs),
);
const minutes = fc.integer({ min: 0, max: 1439 });
const anyWindow = fc
  .record({
    days: fc.subarray([...weekdays], { minLength: 1 }).map((days) => new Set(days)),
    fromMinute: minutes,
    toMinute: fc.integer({ min: 1, max: 1440 }),
    zone: fc.constantFrom(...zones),
  })
  .filter(({ fromMinute, toMinute }) => fromMinute !== toMinute && !(fromMinute === 0 && toMinute === 1440));

/** What a clock on the wall says, as a person would read it from a printed date. */
function printed(zone: string, when: number): { day: number; minute: number } {
  const text = new Date(when).toLocaleString('sv-SE', { timeZone: zone });
  const [date = '', time = ''] = text.split(' ');
  const [hours = 0, mins = 0] = time.split(':').map(Number);
  return { day: (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7, minute: hours * 60 + mins };
}

test('R11 a window holds exactly while the printed local time is in it', () => {
  fc.assert(
    fc.property(anyWindow, moments, (window, when) => {
      const { day, minute } = printed(window.zone, when);
      const has = (index: number) => window.days.has(weekdays[(index + 7) % 7] ?? 'mon');
      const expected =
        window.fromMinute < window.toMinute
          ? has(day) && window.fromMinute <= minute && minute < window.toMinute
          : (has(day) && minute >= window.fromMinute) || (has(day - 1) && minute < window.toMinute);
      expect(holdsAt(window, when)).toBe(expected);
    }),
  );
});

test('R11 until the next change a window stays as it is, and then it is no longer so', () => {
  fc.assert(
    fc.property(anyWindow, moments, fc.integer({ min: 0, max: 59_999 }), (window, when, within) => {
      const now = holdsAt(window, when);
      const next = nextChange(window, when + within);
      const end = next ?? when + 15 * 1440 * minuteMs;
      // Every minute near both ends, and a sample of those between.
      for (
        let minute = when;
        minute < end;
        minute += minute - when < 180 * minuteMs || end - minute < 180 * minuteMs ? minuteMs : 7 * minuteMs
      )
        if (holdsAt(window, minute) !== now) throw new Error(`changed at ${new Date(minute).toISOString()} already`);
      if (next !== undefined) expect(holdsAt(window, next)).toBe(!now);
    }),
    { numRuns: 40 },
  );
});

const rules = (...list: LimitRule[]) => list.map((rule) => compile(limitRule.parse(rule)));
const office = { days: 'mon-fri', from: '08:00', to: '18:00', zone: 'Europe/Berlin' };
const [monday, night] = [at('2026-11-23T09:00:00Z'), at('2026-11-23T20:00:00Z')];

test('R11 a rule with a window counts in its window, the one without elsewhere, and the next change is told', () => {
  const both = rules({ rate: '1GiB/s' }, { rate: '100MiB/s', ...office });
  expect(rateAt(both, monday)).toEqual({ bytesPerSecond: 100 * MiB, until: at('2026-11-23T17:00:00Z') });
  expect(rateAt(both, night)).toEqual({ bytesPerSecond: 1024 * MiB, until: at('2026-11-24T07:00:00Z') });
});

test('R11 of two windows at once the lower counts; none in a window lifts the limit; no rule is no limit', () => {
  const lower = rules({ rate: '100MiB/s', ...office }, { rate: '50MiB/s', days: 'mon', zone: 'UTC' });
  expect(rateAt(lower, monday).bytesPerSecond).toBe(50 * MiB);
  expect(rateAt(rules({ rate: '50MiB/s' }, { rate: 'none', ...office }), monday).bytesPerSecond).toBeUndefined();
  expect(rateAt([], monday)).toEqual({});
  expect(rateAt(rules({ rate: '50MiB/s' }), monday)).toEqual({ bytesPerSecond: 50 * MiB });
});

test('R11 a limit without a window replaces all rules, one with a window only the one for the same window', () => {
  const [always, day] = [{ rate: '1GiB/s' }, { rate: '100MiB/s', ...office }];
  expect(withRule([always, day], { rate: 'none' })).toEqual([{ rate: 'none' }]);
  const same = { rate: '80MiB/s', ...office, days: 'fri,mon-thu' };
  expect(withRule([always, day], same)).toEqual([always, same]);
  expect(withRule([always, day], { rate: '80MiB/s', ...office, to: '17:00' })).toHaveLength(3);
});

test.each([
  [{ rate: '100MiB/s' }, '100MiB/s, always'],
  [{ rate: 'none', ...office }, 'no limit, mon-fri 08:00 to 18:00 in Europe/Berlin'],
  [{ rate: '1Gbit/s', days: 'sat,sun', zone: 'UTC' }, '1Gbit/s, sat,sun in UTC'],
  [{ rate: '1Gbit/s', from: '22:00', to: '06:00', zone: 'UTC' }, '1Gbit/s, every day 22:00 to 06:00 in UTC'],
])('a rule is told in words', (rule, text) => {
  expect(ruleText(limitRule.parse(rule))).toBe(text);
});

test.each([
  [{ rate: '1Gbit/s', from: '08:00', zone: 'UTC' }, 'to: from and to belong together'],
  [{ rate: '1Gbit/s', days: 'mon' }, 'zone: days and times need a time zone, like Europe/Berlin'],
  [{ rate: '1Gbit/s', zone: 'UTC' }, 'zone: a time zone needs days or times'],
  [{ rate: '1Gbit/s', from: '08:00', to: '08:00', zone: 'UTC' }, 'to: the window is empty: from and to are equal'],
  [{ rate: '1Gbit/s', days: 'mon', zone: '+02:00' }, 'zone: this is no time zone; use an IANA name like Europe/Berlin'],
  [{ rate: '1Gbit/s', from: '25:00', to: '26:00', zone: 'UTC' }, 'from: write a time like 08:00 (24:00 is the end)'],
])('R11 a rule that means nothing is refused with the key and what to write', (rule, message) => {
  const issue = limitRule.safeParse(rule).error?.issues[0];
  expect(`${issue?.path.join('.')}: ${issue?.message}`).toBe(message);
});
