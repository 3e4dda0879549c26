/**
 * Calendar windows: weekdays and hours of a time zone, as in "mon-fri 08:00 to 18:00 in Europe/Berlin".
 * Rule: local time comes from Intl and from nothing else, so that summer time and odd offsets are right by construction:
 * in the night in which an hour is skipped or comes twice, a window holds exactly while a clock on the wall says so.
 * Not for workflow code: Temporal's sandbox has no Intl.
 */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

export interface CalendarWindow {
  readonly days: ReadonlySet<Weekday>;
  /** Minutes since local midnight; `from` later than `to` goes on past midnight, on the day after. */
  readonly fromMinute: number;
  /** The first minute that no longer belongs to it; 1440 is the end of the day. */
  readonly toMinute: number;
  /** IANA name. */
  readonly zone: string;
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;

/** `mon-fri`, `sat,sun`, `fri-mon`; undefined when it is neither. */
export function parseDays(text: string): Set<Weekday> | undefined {
  const found = new Set<Weekday>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.trim().split('-');
    const from = weekdays.indexOf(first as Weekday);
    const to = weekdays.indexOf(last as Weekday);
    if (from < 0 || to < 0 || more.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(weekdays[day] ?? 'mon');
      if (day === to) break;
    }
  }
  return found;
}

/** Minutes of `08:00`; `24:00` is the end of the day. Undefined when it is no time. */
export function parseTime(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{2}):(\d{2})$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= dayMinutes ? minute : undefined;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const digits = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  const clock = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...digits });
  clocks.set(zone, clock);
  return clock;
}

/** Whether Intl knows the zone; offsets like `+02:00` are no zones, because they know no summer time. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

interface WallClock {
  /** 0 is Monday. */
  readonly day: number;
  readonly minute: number;
  /** Minutes that the zone is ahead of UTC. */
  readonly offset: number;
}

/** What a clock on the wall says at `at` (epoch ms). */
function wallClock(zone: string, at: number): WallClock {
  const parts: Record<string, number> = {};
  for (const { type, value } of clockOf(zone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  return {
    day: (new Date(asUtc).getUTCDay() + 6) % 7,
    minute: hour * 60 + minute,
    offset: Math.round((asUtc - Math.floor(at / minuteMs) * minuteMs) / minuteMs),
  };
}

const contains = ({ days, fromMinute, toMinute }: CalendarWindow, { day, minute }: WallClock): boolean => {
  const among = (index: number): boolean => days.has(weekdays[(index + 7) % 7] ?? 'mon');
  if (fromMinute < toMinute) return among(day) && minute >= fromMinute && minute < toMinute;
  return (among(day) && minute >= fromMinute) || (among(day - 1) && minute < toMinute);
};

/** Whether the window holds at `at` (epoch ms). */
export const holdsAt = (window: CalendarWindow, at: number): boolean => contains(window, wallClock(window.zone, at));

/** Further than this nothing changes: a week of seven equal days has no boundary. */
const horizonMs = 15 * dayMinutes * minuteMs;

/** The next instant (epoch ms) at which the window begins or ends to hold; undefined when it never does. */
export function nextChange(window: CalendarWindow, at: number): number | undefined {
  const before = wallClock(window.zone, at);
  const held = contains(window, before);
  let seen = before;
  let now = Math.floor(at / minuteMs) * minuteMs;
  for (const end = now + horizonMs; now < end; ) {
    const minutes = untilBoundary(window, seen.minute);
    const there = now + minutes * minuteMs;
    const then = wallClock(window.zone, there);
    // The clock was turned in between: only looking at every minute of it is right for any zone.
    if (then.offset !== seen.offset) {
      for (let minute = now + minuteMs; minute <= there; minute += minuteMs)
        if (holdsAt(window, minute) !== held) return minute;
    } else if (contains(window, then) !== held) return there;
    [now, seen] = [there, then];
  }
  return undefined;
}

/** Minutes on the wall until something could change: the window's ends, or midnight. */
const untilBoundary = ({ fromMinute, toMinute }: CalendarWindow, minute: number): number =>
  Math.min(...[fromMinute, toMinute, dayMinutes].map((end) => end - minute).filter((left) => left > 0));
