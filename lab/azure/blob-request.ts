/**
 * Headers of a blob request, read once: version, range, page size; and what a blob answer is.
 * Rule: ranges are inclusive on the wire and half-open behind this file; what is malformed is refused as the service does.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Range } from './intervals.ts';
import { Refusal } from './refusal.ts';

export interface BlobAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Whole, or in pieces for ranges too big to be held. */
  readonly body?: Buffer | AsyncIterable<Buffer>;
}

/** The version a request without one gets: that of the grants' `sv`. */
export const version = (headers: IncomingHttpHeaders): string => String(headers['x-ms-version'] ?? '2018-03-28');

/** `x-ms-range` wins over `Range`. Undefined: the whole blob was asked for. */
export function askedRange(headers: IncomingHttpHeaders, total: number): Range | undefined {
  const text = headers['x-ms-range'] ?? headers.range;
  const found = /^bytes=(\d+)-(\d*)$/.exec(String(text ?? ''));
  if (!found) return undefined;
  const from = Number(found[1]);
  const to = found[2] ? Math.min(Number(found[2]) + 1, total) : total;
  if (from >= total || to <= from)
    throw new Refusal(416, 'InvalidRange', 'The range specified is invalid for the current size of the resource.');
  return { from, to };
}

const mostEntries = 10_000;

export function pageSize(text: string | null): number {
  if (text === null) return mostEntries;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new Refusal(400, 'OutOfRangeQueryParameterValue', 'maxresults must be between 1 and 10000.');
  return Math.min(count, mostEntries);
}

export function markerOffset(text: string | null): number {
  const offset = Number(text ?? '0');
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new Refusal(400, 'InvalidQueryParameterValue', 'The value of marker is not one this service gave.');
  return offset;
}
