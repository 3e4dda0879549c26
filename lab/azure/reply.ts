/**
 * How an answer is written: ARM's JSON and the blob service's XML, and the faults that spoil bytes on the wire.
 * Rule: whatever a fault does to a body, its headers still promise the true length.
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

/** The body with the faults of the wire in it: cut off after so many bytes, or held up in the middle. */
async function* spoilt(
  body: Buffer | AsyncIterable<Buffer>,
  length: number,
  fault: FaultAction | undefined,
): AsyncIterable<Buffer> {
  const end = Math.min(fault?.truncateBytes ?? length, length);
  const middle = Math.floor(length / 2);
  let at = 0;
  for await (const piece of chunked(body)) {
    const part = piece.subarray(0, Math.max(0, end - at));
    const before = fault?.stallMs === undefined ? part.length : Math.max(0, Math.min(part.length, middle - at));
    if (before > 0) yield part.subarray(0, before);
    if (before < part.length) {
      if (at + before === middle) await pause(fault?.stallMs ?? 0);
      yield part.subarray(before);
    }
    at += piece.length;
    if (at >= end) return;
  }
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
  const { status, headers, body } = written;
  const length = Number(headers['Content-Length'] ?? (Buffer.isBuffer(body) ? body.length : 0));
  response.writeHead(status, {
    'x-ms-request-id': randomUUID(),
    ...headers,
    ...(fault?.status === undefined ? retryHeader(fault?.retryAfter) : {}),
    'Content-Length': String(length),
  });
  if (request.method === 'HEAD' || body === undefined) return void response.end();
  const spoils = fault?.truncateBytes !== undefined || fault?.stallMs !== undefined;
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
