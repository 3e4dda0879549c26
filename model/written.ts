/**
 * How much a machine has written at home since it went live, added up from the samples of the site's own counter.
 * Rule (S5): a sample counts once, by its time; time that no sample covers for every disk makes the sum an `at least`, and where there is
 * no sum nobody has counted, which is said together with why. Pure.
 */
import { bytes as amount } from './amount.ts';

/** What a machine wrote to all its disks in the `seconds` before `at` (ISO 8601, by the site's clock). */
export interface WriteSample {
  readonly at: string;
  readonly seconds: number;
  readonly bytes: number;
  /** What some of its disks wrote then is not known. */
  readonly partly?: true;
}

export interface Written {
  readonly bytes: number;
  /** Up to when, ISO 8601, by the site's clock. */
  readonly until: string;
  /** Some of the time no sample covers, or not for every disk: it is at least so much. */
  readonly gap?: true;
}

/** What is known of it. */
export interface WriteCount {
  /** Since the machine went live; absent while nobody has counted. */
  readonly written?: Written;
  /** Why there is no count, or no newer one; absent while counting goes on. */
  readonly uncounted?: string;
}

/** Of two times at home, one after the other; where one of them was not counted, it is at least the other. */
export function bothTimes(first: WriteCount | undefined, second: WriteCount): WriteCount {
  if (!first) return second;
  const times = [first.written, second.written].filter((one) => one !== undefined);
  const last = times.at(-1);
  const gap = times.length < 2 || times.some((one) => one.gap);
  const bytes = times.reduce((sum, one) => sum + one.bytes, 0);
  const written = last && { bytes, until: last.until, ...(gap ? { gap: true as const } : {}) };
  return countIn({ written, uncounted: second.uncounted ?? first.uncounted });
}

type Known = { readonly [K in keyof WriteCount]: WriteCount[K] | undefined };

/** The count in whatever holds one, without what is not known. */
export const countIn = ({ written, uncounted }: Known): WriteCount => ({
  ...(written && { written }),
  ...(uncounted !== undefined && { uncounted }),
});

/**
 * So much may pass without a sample and still be called `about`, in milliseconds: the first sample of a machine begins up
 * to one sample (20 s at vCenter) after its start, and one may be missing.
 */
const unnoticedMs = 40_000;

/** A machine that is switched on so long after its start was sent was most likely switched off in between. */
const slowStartMs = 10 * 60_000;

/** Where the count begins: at the machine's start, by the site's clock. `liveSince`: right before that start was sent. */
export function fromStart(startedAt: string, liveSince = startedAt): Written {
  const gap = Date.parse(startedAt) - Date.parse(liveSince) > slowStartMs;
  return { bytes: 0, until: new Date(startedAt).toISOString(), ...(gap && { gap: true as const }) };
}

/** The sum with these samples, in whatever order they came; those that were counted before are passed over. */
export function addSamples(before: Written, samples: readonly WriteSample[]): Written {
  const inOrder = samples.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return inOrder.reduce((sum, { at, seconds, bytes, partly }) => {
    const uncoveredMs = Date.parse(at) - seconds * 1000 - Date.parse(sum.until);
    // A time that cannot be read is no time: neither it nor what was written by then can be placed.
    if (!(Date.parse(at) > Date.parse(sum.until))) return sum;
    const gap = partly || sum.gap || uncoveredMs > unnoticedMs;
    return { bytes: sum.bytes + bytes, until: new Date(at).toISOString(), ...(gap ? { gap: true as const } : {}) };
  }, before);
}

interface Live extends WriteCount {
  readonly liveSince?: string;
}

/** The story with what a count found that was begun for the machine live `since`; one that comes too late changes nothing. */
export function counted<S extends Live>(story: S, since: string, found: WriteCount): S {
  if (story.liveSince !== since) return story;
  const { uncounted: _why, ...rest } = story;
  const { written = story.written, uncounted } = found;
  const older = written && story.written && Date.parse(written.until) < Date.parse(story.written.until);
  const kept = older ? story.written : written;
  return { ...rest, ...countIn({ written: kept, uncounted }) } as S;
}

/** What is counted, where no sentence before it has said so. */
export const writtenThere = 'how much was written there since,';

/** `it wrote about 1.3 GiB to its disks until 10:32 (vCenter's count)`; `time` writes a moment. */
export function writtenText(
  { written, uncounted }: WriteCount,
  time = (iso: string): string => iso,
  what = 'how much that is',
): string {
  if (!written) return `${what} nobody has counted${uncounted === undefined ? '' : ` (${uncounted})`}`;
  const { bytes, until, gap } = written;
  const since = uncounted === undefined ? '' : `; since then nobody has counted (${uncounted})`;
  return `it wrote ${gap ? 'at least' : 'about'} ${amount(bytes)} to its disks until ${time(until)} (vCenter's count)${since}`;
}
