/**
 * The times in which nobody served the users: one for the cutover, one for each change of the point, one for a way back. Pure.
 * Rule: one that is over is kept, so that the end can tell what all of it cost together; a second one never begins while one runs.
 */
export interface Outage {
  /** ISO 8601: right before the stop was sent. */
  readonly startedAt: string;
  /** Absent while it lasts, and where its end was not seen. */
  readonly endedAt?: string;
}

export interface Outages {
  /** The last one. */
  readonly outage?: Outage | undefined;
  /** Those before it, all over; absent while there is none. */
  readonly outagesBefore?: readonly Outage[] | undefined;
}

/** From `at` on nobody serves; nothing new where that was so already. */
export function outageBegins({ outage, outagesBefore = [] }: Outages, at: string): Outages {
  if (!outage) return { outage: { startedAt: at } };
  if (outage.endedAt === undefined) return {};
  return { outage: { startedAt: at }, outagesBefore: [...outagesBefore, outage] };
}

/** From `at` on somebody serves again. */
export const outageEnds = ({ outage }: Outages, at: string): Outages =>
  outage && outage.endedAt === undefined ? { outage: { ...outage, endedAt: at } } : {};

/** The one that had begun has turned out to be none. */
export function noOutage({ outage, outagesBefore = [] }: Outages): Outages {
  if (!isOpen(outage)) return {};
  const before = outagesBefore.slice(0, -1);
  return { outage: outagesBefore.at(-1), outagesBefore: before.length > 0 ? before : undefined };
}

export const isOpen = (outage: Outage | undefined): boolean => outage !== undefined && outage.endedAt === undefined;

/** How many there were and how long they lasted together, in milliseconds, up to `now` (epoch ms); undefined without any. */
export function outagesTogether(
  { outage, outagesBefore = [] }: Outages,
  now: number,
): { readonly count: number; readonly ms: number } | undefined {
  if (!outage) return undefined;
  const all = [...outagesBefore, outage];
  const ms = all.reduce(
    (sum, one) => sum + (one.endedAt ? Date.parse(one.endedAt) : now) - Date.parse(one.startedAt),
    0,
  );
  return { count: all.length, ms };
}
