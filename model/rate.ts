/**
 * Byte rates as people write them: `100MiB/s`, `1Gbit/s`, `none`.
 * Rule: what is not exactly a number with a known unit is refused; nothing is guessed, and a rate is never so low that it
 * would be a hidden stop (that is what *hold* is for).
 */
const bytesIn: Readonly<Record<string, number>> = {
  'B/s': 1,
  'KiB/s': 1024,
  'MiB/s': 1024 ** 2,
  'GiB/s': 1024 ** 3,
  'kB/s': 1e3,
  'MB/s': 1e6,
  'GB/s': 1e9,
  'kbit/s': 1e3 / 8,
  'Mbit/s': 1e6 / 8,
  'Gbit/s': 1e9 / 8,
};

/** Below this a block of 4 MiB takes more than a minute; whoever wants less wants a hold. */
export const leastBytesPerSecond = 64 * 1024;

export const rateExample = 'write 100MiB/s, 250Mbit/s, 1Gbit/s or none';
export const ratePattern = /^(none|\d+(\.\d+)?\s?([KMG]iB|[kMG]B|B|[kMG]bit)\/s)$/;

/** Bytes per second; `null` for none; undefined when the text is no rate, or one below 64 KiB/s. */
export function parseRate(text: string): number | null | undefined {
  if (text === 'none') return null;
  const [, figure, unit] = /^(\d+(?:\.\d+)?)\s?(\S+)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : bytesIn[unit];
  if (figure === undefined || factor === undefined) return undefined;
  const bytesPerSecond = Math.round(Number(figure) * factor);
  return bytesPerSecond >= leastBytesPerSecond && Number.isSafeInteger(bytesPerSecond) ? bytesPerSecond : undefined;
}
