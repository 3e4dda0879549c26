/**
 * Bytes, rates, durations and times as people read them.
 * Rule: pure and without locale, so that a text looks the same on every computer; times are UTC and say so.
 */
import { bytes } from '../../model/amount.ts';
import type { Band } from '../../model/band.ts';

export { bytes } from '../../model/amount.ts';

/** `1 round`, `2 rounds`. */
export const count = (many: number, one: string): string => (many === 1 ? `1 ${one}` : `${many} ${one}s`);

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`;

/** `0 s`, `4.2 s`, `95 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const since = (iso: string, now: number): string => duration(now - Date.parse(iso));

/** `11:04:32 UTC`, with the date when it is not today. */
export function clock(iso: string, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '?';
  const text = at.toISOString();
  const today = new Date(now).toISOString().slice(0, 10);
  const time = `${text.slice(11, 19)} UTC`;
  return text.startsWith(today) ? time : `${text.slice(0, 10)} ${time}`;
}

export const percent = (done: number, total: number): number =>
  total > 0 ? Math.min(100, Math.max(0, Math.floor((done / total) * 100))) : 0;

/** A forecast with its band: `about 45.0 MiB (30.0 MiB to 90.0 MiB)`; `figure` writes one end of it. */
export function forecast({ likely, low, high }: Band, figure: (value: number) => string): string {
  const [middle, ...ends] = [likely, low, high].map(figure);
  return ends[0] === ends[1] ? `about ${middle}` : `about ${middle} (${ends.join(' to ')})`;
}

export const secondsText = (seconds: number): string => duration(seconds * 1000);
