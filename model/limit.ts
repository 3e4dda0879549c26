/**
 * THE LAW of limits: how fast a mover, a site or a link may be used, and when. Rules are kept as people write them, in
 * homeward.yaml, on the command line and in the mover's state alike, and are read here.
 * Rule: a rule with a window beats the one without while its window holds; of several windows the lowest rate counts; of
 * several scopes the lowest counts. A site's or link's rate is divided evenly between the movers that share it.
 */
import { z } from 'zod';
import { type CalendarWindow, holdsAt, isZone, nextChange, parseDays, parseTime, weekdays } from './calendar.ts';
import { parseRate, rateExample, ratePattern } from './rate.ts';

const time = z.string().refine((text) => parseTime(text) !== undefined, 'write a time like 08:00 (24:00 is the end)');

/** One rule. Without days, from and to it holds always. */
export const limitRule = z
  .strictObject({
    rate: z
      .string()
      .regex(ratePattern, { error: `this is no rate; ${rateExample}`, abort: true })
      .refine((text) => parseRate(text) !== undefined, 'a rate must be 64KiB/s or more; to stop a copy, hold the run')
      .describe('Bytes or bits per second: 100MiB/s, 1Gbit/s, or none.'),
    days: z
      .string()
      .refine((text) => parseDays(text) !== undefined, `write days like mon-fri or sat,sun (${weekdays.join(', ')})`)
      .optional()
      .describe('Weekdays: mon-fri, or sat,sun. Default: every day.'),
    from: time.optional().describe('Local time at which it begins to hold: 08:00.'),
    to: time.optional().describe('Local time at which it ends to hold: 18:00; earlier than from goes past midnight.'),
    zone: z
      .string()
      .refine(isZone, 'this is no time zone; use an IANA name like Europe/Berlin')
      .optional()
      .describe('Time zone of days and times by its IANA name.'),
  })
  .superRefine((rule, context) => {
    const say = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    const timed = rule.from !== undefined || rule.to !== undefined;
    if (timed && (rule.from === undefined || rule.to === undefined))
      say(rule.from === undefined ? 'from' : 'to', 'from and to belong together');
    else if (timed && rule.from === rule.to) say('to', 'the window is empty: from and to are equal');
    if ((timed || rule.days !== undefined) && rule.zone === undefined)
      say('zone', 'days and times need a time zone, like Europe/Berlin');
    if (!timed && rule.days === undefined && rule.zone !== undefined) say('zone', 'a time zone needs days or times');
  });

export type LimitRule = z.infer<typeof limitRule>;

export const scopeKinds = ['mover', 'site', 'link'] as const;
export type ScopeKind = (typeof scopeKinds)[number];
/** What a limit is put on. */
export interface LimitScope {
  readonly kind: ScopeKind;
  readonly name: string;
}
export const scopeText = ({ kind, name }: LimitScope): string => `${kind} ${name}`;

const rulesOf = z.array(limitRule);

/** The section `limits:` of homeward.yaml. */
export const limitsSection = z.strictObject({
  cutover: z
    .enum(['limited', 'exempt'])
    .default('limited')
    .describe('Whether the last changes, copied inside the outage, are limited too. They go first in any case.'),
  movers: z.record(z.string(), rulesOf).default({}).describe('Rules per mover.'),
  sites: z
    .record(z.string(), rulesOf)
    .default({})
    .describe('Rules per site, for all that is read from it or written to it; divided between its movers.'),
  links: z.record(z.string(), rulesOf).default({}).describe('Rules per link; divided between its movers.'),
});

/** What the rules of one scope say at one moment. */
export interface RateNow {
  /** Absent: no limit. */
  readonly bytesPerSecond?: number;
  /** When the rules next say something else, epoch ms; absent when they never do. */
  readonly until?: number;
}

export interface CompiledRule {
  readonly bytesPerSecond: number;
  readonly window?: CalendarWindow;
}

/** Reads a rule that `limitRule` accepted; `none` is infinite. */
export function compile(rule: LimitRule): CompiledRule {
  const bytesPerSecond = parseRate(rule.rate) ?? Number.POSITIVE_INFINITY;
  if (rule.zone === undefined) return { bytesPerSecond };
  const window = {
    days: parseDays(rule.days ?? 'mon-sun') ?? new Set(weekdays),
    fromMinute: parseTime(rule.from ?? '00:00') ?? 0,
    toMinute: parseTime(rule.to ?? '24:00') ?? 0,
    zone: rule.zone,
  };
  return { bytesPerSecond, window };
}

/** Which rate the rules give at `at` (epoch ms), and until when. */
export function rateAt(rules: readonly CompiledRule[], at: number): RateNow {
  const windows = rules.filter((rule) => rule.window !== undefined);
  const holding = windows.filter(({ window }) => window && holdsAt(window, at));
  const counting = holding.length > 0 ? holding : rules.filter((rule) => rule.window === undefined);
  const lowest = Math.min(Number.POSITIVE_INFINITY, ...counting.map((rule) => rule.bytesPerSecond));
  const changes = windows.flatMap(({ window }) => (window && nextChange(window, at)) ?? []);
  return {
    ...(Number.isFinite(lowest) ? { bytesPerSecond: lowest } : {}),
    ...(changes.length > 0 ? { until: Math.min(...changes) } : {}),
  };
}

/** Which window a rule is for; two rules of one window cannot both hold. */
export function windowKey(rule: LimitRule): string {
  const { window } = compile(rule);
  if (!window) return 'always';
  const days = weekdays.filter((day) => window.days.has(day)).join();
  return `${days} ${window.fromMinute}-${window.toMinute} ${window.zone}`;
}

/** Adds a rule: one without a window replaces all, one with a window takes the place of the one with the same window. */
export function withRule(rules: readonly LimitRule[], added: LimitRule): LimitRule[] {
  const key = windowKey(added);
  return key === 'always' ? [added] : [...rules.filter((rule) => windowKey(rule) !== key), added];
}

/** `100MiB/s, mon-fri 08:00 to 18:00 in Europe/Berlin`. */
export function ruleText({ rate, days, from, to, zone }: LimitRule): string {
  const hours = from === undefined ? '' : ` ${from} to ${to}`;
  const place = zone === undefined ? ', always' : `, ${days ?? 'every day'}${hours} in ${zone}`;
  return `${rate === 'none' ? 'no limit' : rate}${place}`;
}
