/**
 * How an answer is written: ARM's JSON and the blob service's XML, and the faults that spoil bytes on the wire.
 * Rule: whatever a fault does to a body, its headers still promise the true length, unless the fault is about just that.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultAction } from './faults.ts';
import type { Answer } from './operations.ts';
import { badRequest, Refusal } from './refusal.ts';

/** Bodies up to this size are not worth a thought. */
const smallBytes = 65_536;

export interface Written {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | AsyncIterable<Buffer> | undefined;
  readonly code?: string;
}

export const json = ({ status, headers, body }: Answer): Written => ({
  status,
  headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }) },
  body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
});

export const jsonRefusal = ({ status, code, message, headers }: Refusal): Written => ({
  ...json({ status, headers: { ...headers, 'x-ms-failure-cause': 'service' }, body: { error: { code, message } } }),
  code,
});

export const xmlRefusal = ({ status, code, message, headers }: Refusal): Written => ({
  status,
  headers: { ...headers, 'Content-Type': 'application/xml', 'x-ms-error-code': code },
  body: Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  ),
  code,
});

export function faultRefusal(fault: FaultAction): Refusal {
  const { status = 500, retryAfter } = fault;
  const usual = status === 429 ? 'TooManyRequests' : status === 503 ? 'ServerBusy' : 'InternalServerError';
  return new Refusal(status, fault.code ?? usual, fault.message ?? 'An injected fault.', retryHeader(retryAfter));
}

const retryHeader = (retryAfter: FaultAction['retryAfter']): Record<string, string> =>
  retryAfter === undefined || retryAfter === 'none' ? {} : { 'Retry-After': String(retryAfter) };

/** A JSON body; what is not JSON is refused as ARM does. */
export function jsonBody(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch (error) {
    throw badRequest(
      `The request content was invalid and could not be deserialized: ${String(error)}`,
      'InvalidRequestContent',
    );
  }
}

const chunked = async function* (body: Buffer | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  if (Buffer.isBuffer(body)) yield body;
  else yield* body;
};

/** How a body is sent when the wire is bad: in such pieces, with such a wait before each but the first. */
interface Pace {
  readonly pieceBytes: number;
  readonly waitMs: number;
}

function paceOf(length: number, fault: FaultAction | undefined): Pace {
  if (fault?.slowMs !== undefined) return { pieceBytes: Math.ceil(length / 16), waitMs: fault.slowMs };
  if (fault?.stallMs !== undefined) return { pieceBytes: Math.ceil(length / 2), waitMs: fault.stallMs };
  return { pieceBytes: length, waitMs: 0 };
}

/** The body with the faults of the wire in it: cut off after so many bytes, held up in the middle, or slow. */
async function* spoilt(
  body: Buffer | AsyncIterable<Buffer>,
  length: number,
  fault: FaultAction | undefined,
): AsyncIterable<Buffer> {
  const end = Math.min(fault?.truncateBytes ?? length, length);
  const { pieceBytes, waitMs } = paceOf(length, fault);
  let at = 0;
  for await (const whole of chunked(body)) {
    for (let from = 0; from < whole.length && at < end; ) {
      if (at > 0 && at % pieceBytes === 0) await pause(waitMs);
      const room = Math.min(whole.length - from, end - at, pieceBytes - (at % pieceBytes));
      yield whole.subarray(from, from + room);
      from += room;
      at += room;
    }
    if (at >= end) return;
  }
}

/** The `lengthOff` fault: a body that is longer or shorter than it should be. */
function resized(body: Written['body'], by: number): Written['body'] {
  if (!Buffer.isBuffer(body)) return body;
  return by < 0 ? body.subarray(0, Math.max(0, body.length + by)) : Buffer.concat([body, Buffer.alloc(by)]);
}

/** Resolves when the client took what was written, or is gone. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });

/** Writes the answer; a body that is cut by a fault ends with the connection, never with a clean end. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  written: Written,
  fault?: FaultAction,
): Promise<void> {
  const { status, headers } = written;
  const body = fault?.lengthOff === undefined ? written.body : resized(written.body, fault.lengthOff);
  const length = Buffer.isBuffer(body) ? body.length : Number(headers['Content-Length'] ?? 0);
  response.writeHead(status, {
    'x-ms-request-id': randomUUID(),
    ...headers,
    ...(fault?.status === undefined ? retryHeader(fault?.retryAfter) : {}),
    'Content-Length': String(Math.max(0, length + (fault?.lengthLie ?? 0))),
  });
  if (request.method === 'HEAD' || body === undefined) return void response.end();
  const spoils = [fault?.truncateBytes, fault?.stallMs, fault?.slowMs].some((one) => one !== undefined);
  if (Buffer.isBuffer(body) && body.length <= smallBytes && !spoils) return void response.end(body);
  // Headers, body and end in one go would be copied together by the TLS layer; one by one they are not.
  response.flushHeaders();
  for await (const piece of spoilt(body, length, fault)) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  if (fault?.truncateBytes === undefined) return void response.end();
  await pause(20);
  request.socket.destroy();
}
