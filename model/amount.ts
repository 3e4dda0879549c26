/**
 * An amount of bytes as people read it.
 * Rule: pure and without locale, so that a text looks the same on every computer.
 */
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `0 B`, `1.5 MiB`, `30.0 GiB`. */
export function bytes(count: number): string {
  if (!Number.isFinite(count) || count < 0) return '?';
  let value = count;
  let unit = 0;
  // 1023.95 would be shown as 1024.0, so it moves on to the next unit.
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${units[unit]}`;
}
