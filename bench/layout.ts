/**
 * How the benched disks look: which ranges hold data, and which of them change.
 * Rule: drawn from a seed, so that every run on every machine copies the same ranges. Pure; offsets in bytes, half-open.
 */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export const kib = 1024;
export const mib = 1024 * kib;
export const gib = 1024 * mib;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const lengthOf = (ranges: readonly Range[]): number =>
  ranges.reduce((bytes, { start, end }) => bytes + end - start, 0);

const upTo = (value: number, step: number): number => Math.ceil(value / step) * step;

/** A disk of which a third is holes: runs of 8 to 42 MiB with a hole half as long behind each, cut at 64 KiB. */
export function thirdHoles(sizeBytes: number, seed = 1): Range[] {
  const draw = draws(seed);
  const ranges: Range[] = [];
  // Small disks have shorter runs, so that they too are cut often.
  const scale = Math.min(1, sizeBytes / gib);
  for (let start = 0; start < sizeBytes; ) {
    const run = upTo((8 + 34 * draw()) * mib * scale, 64 * kib);
    const end = Math.min(sizeBytes, start + run);
    ranges.push({ start, end });
    start = end + upTo(run / 2, 64 * kib);
  }
  return ranges;
}

export interface Scatter {
  readonly sizeBytes: number;
  readonly smallestBytes: number;
  readonly largestBytes: number;
  /** Stops when so many extents were drawn, or so many bytes. */
  readonly extents?: number;
  readonly bytes?: number;
}

/** Extents strewn evenly over the disk without touching, of lengths even on a logarithmic scale, whole pages of 4 KiB. */
export function scattered({ sizeBytes, smallestBytes, largestBytes, ...until }: Scatter, seed = 2): Range[] {
  const draw = draws(seed);
  const lengths: number[] = [];
  let total = 0;
  while (lengths.length < (until.extents ?? Number.POSITIVE_INFINITY) && total < (until.bytes ?? sizeBytes)) {
    const left = (until.bytes ?? sizeBytes) - total;
    const drawn = upTo(smallestBytes * (largestBytes / smallestBytes) ** draw(), 4 * kib);
    const length = Math.max(4 * kib, Math.min(drawn, upTo(left, 4 * kib)));
    lengths.push(length);
    total += length;
  }
  const gap = Math.floor((sizeBytes - total) / (lengths.length + 1) / (4 * kib)) * 4 * kib;
  if (gap < 4 * kib) throw new RangeError(`${lengths.length} extents of ${total} bytes do not fit ${sizeBytes}`);
  const ranges: Range[] = [];
  let at = 0;
  for (const length of lengths) {
    const start = at + gap;
    ranges.push({ start, end: start + length });
    at = start + length;
  }
  return ranges;
}

/** What holds data when both lists were written: merged, ascending. */
export function union(one: readonly Range[], other: readonly Range[]): Range[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...one, ...other].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** As the bench's server and its disk maker read it: one range a line. */
export const asLines = (ranges: readonly Range[]): string =>
  ranges.map(({ start, end }) => `${start} ${end}\n`).join('');
