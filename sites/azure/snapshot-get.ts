/**
 * GETs on a leased snapshot, repeated where repeating a read is safe and may help.
 * Rule: reads only. A refused grant is renewed and the read repeated; what stays broken becomes a Failure and
 * Temporal decides. Long waits are Temporal's too: only short ones are waited out here.
 */
import type { Share } from '../../disk/block-pool.ts';
import { SourceSilent } from '../../disk/point-reader.ts';
import { type Failure, refused } from '../../model/failure.ts';
import type { BlobAnswer, BlobTransport } from './blob-port.ts';
import { pause, type What } from './call.ts';
import { answerFailure, azureFailure, retryAfter } from './failure.ts';
import type { Flow } from './flow.ts';
import type { Sas, SnapshotLease } from './grant.ts';
import type { OneContent } from './one-content.ts';
import { TooSlow, withinDeadline } from './request-deadline.ts';

/** Page lists in pieces (`maxresults`) exist from this version on; MD5 of ranges and diffs are older. */
export const blobVersion = '2020-10-02';

const mostTries = 4;
/**
 * An older attempt that is just being ended may take a new grant back twice: once when it renews its own, once when it
 * closes. More often than that, somebody else does it.
 */
const mostRenewals = 3;
const longestWaitMs = 10_000;
const longestErrorBytes = 16_384;

export interface SnapshotGet {
  readonly what: What;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * L5: memory that others could use waits for the answer, so that it was silent or too slow is told at once (`SourceSilent`),
   * not asked again; and a grant that is being renewed is waited for no longer than an answer.
   */
  readonly holdsMemory?: boolean;
}

export interface OpenSnapshot {
  readonly transport: BlobTransport;
  readonly lease: SnapshotLease;
  /** Shared by all that is asked of this snapshot. */
  readonly content: OneContent;
  /** The older snapshot of a diff; its SAS rides along when `withBase` is asked for. */
  readonly base?: SnapshotLease | undefined;
  /** The disk that asks, among all of the mover. */
  readonly share?: Share | undefined;
  /** How many requests at once; without it as many as the caller sends. */
  readonly flow?: Flow | undefined;
}

/** Sends the request until `take` has taken an answer. `take` throws a Failure for an answer that is not what was asked. */
export async function getFromSnapshot<T>(
  open: OpenSnapshot,
  request: SnapshotGet,
  signal: AbortSignal,
  take: (answer: BlobAnswer) => Promise<T>,
): Promise<T> {
  const { what } = request;
  let renewals = 0;
  let waitedMs = 0;
  for (let tries = 1; ; tries++) {
    const sas = await granted(open, request, signal, () => open.lease.sas());
    const base = await open.base?.sas();
    try {
      const act = (hear: Hear): Promise<T> => send(open, request, sas, base, signal, take, hear);
      return await (open.flow === undefined ? act(() => undefined) : open.flow.run(signal, act));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const failure = azureFailure(what, error);
      if (request.holdsMemory === true && error instanceof TooSlow) throw new SourceSilent(failure);
      if (failure.kind === 'Expired') {
        if (renewals === mostRenewals) throw refusedAgain(what, failure);
        if (renewals > 0) await pause(open.transport.limits.repeatMs * 2 ** renewals, signal);
        renewals++;
        await granted(open, request, signal, () => open.lease.renew(sas.serial));
        if (base !== undefined) await open.base?.renew(base.serial);
        continue;
      }
      // Bytes that arrive wrong are read again too: the wire may have done it. If they stay wrong they are Corrupt.
      const mayHelp = failure.kind === 'Transient' || failure.kind === 'Corrupt';
      const pauseMs = Math.max(failure.retryAfterMs ?? 0, open.transport.limits.repeatMs * 2 ** (tries - 1));
      waitedMs += pauseMs;
      if (!mayHelp || tries >= mostTries || waitedMs > longestWaitMs) throw failure;
      await pause(pauseMs, signal);
    }
  }
}

/**
 * Waits for what a lease is asked for. It goes on, for whoever asks next, when memory in hand has waited too long for it.
 * Who was told to stop does not even ask: nobody would hear that it was refused, and Node ends a process for that.
 */
async function granted<T>(
  { transport, lease }: OpenSnapshot,
  { what, holdsMemory }: SnapshotGet,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  if (holdsMemory !== true) return await ask();
  const { promise: left, reject: leave } = Promise.withResolvers<never>();
  try {
    return await withinDeadline(transport.limits.stallMs, signal, leave, () => Promise.race([ask(), left]));
  } catch (error) {
    if (!(error instanceof TooSlow)) throw error;
    throw new SourceSilent({
      ...what,
      message: `${what.op} of ${what.subject}: access to ${lease.name} is still being renewed`,
      hint: 'Azure takes its time to give access: Homeward reads once it has it.',
    });
  }
}

type Hear = (status: number) => void;

function send<T>(
  { transport, content, share }: OpenSnapshot,
  request: SnapshotGet,
  sas: Sas,
  base: Sas | undefined,
  signal: AbortSignal,
  take: (answer: BlobAnswer) => Promise<T>,
  hear: Hear,
): Promise<T> {
  // Appended as text: parsing and writing the SAS anew could change how its signature is escaped.
  const more = new URLSearchParams(request.query ?? {}).toString();
  const url = more === '' ? sas.url : new URL(`${sas.url.href}&${more}`);
  const headers = {
    'x-ms-version': blobVersion,
    ...(base === undefined ? {} : { 'x-ms-previous-snapshot-url': base.url.href }),
    ...content.condition,
    ...request.headers,
  };
  const judged = async (answer: BlobAnswer): Promise<T> => {
    hear(answer.status);
    if (answer.status < 200 || answer.status > 299) throw await refusal(request.what, answer);
    const taken = await take(answer);
    content.believe(request.what, answer.header('etag'));
    return taken;
  };
  return transport.get(url, headers, signal, judged, share);
}

async function refusal(what: What, answer: BlobAnswer): Promise<Failure> {
  const text = await answer.text(longestErrorBytes);
  const code = answer.header('x-ms-error-code') ?? /<Code>(\w+)<\/Code>/.exec(text)?.[1];
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? 'the blob service refused the read';
  return answerFailure(what, { status: answer.status, code, message, retryAfterMs: retryAfter(answer.header) });
}

const refusedAgain = (what: What, failure: Failure): Failure =>
  refused({
    ...what,
    message: `${failure.message}; a new grant did not help`,
    hint: 'Something revokes Homeward’s grants, or a network rule refuses this mover: check the snapshot’s access policy.',
  });
