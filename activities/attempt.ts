/**
 * The frame around every activity: a heartbeat beside the work, a place to report to, failures turned into Temporal's.
 * Rule: heartbeats say that the worker lives, nothing else; a stalled call is found by the site's own I/O deadline. An
 * attempt that could not say so in time changes nothing any more (activities/pulse.ts), and one whose word Temporal did not
 * acknowledge writes no disk (activities/lease.ts).
 */
import { Context } from '@temporalio/activity';
import { Failure } from '../model/failure.ts';
import type { Work } from '../sites/source.ts';
import { tellEndOfReset } from './after-reset.ts';
import { withWorked } from './all-attempts.ts';
import { toTemporal } from './failure.ts';
import { NoPlace } from './in-hand.ts';
import { Lease } from './lease.ts';
import { Pulse } from './pulse.ts';
import { asPaused, tellGoesOn, tellPaused } from './steering.ts';
import { systemClock } from './token-bucket.ts';
import { InVain } from './vain.ts';

/** How often the worker shows that it lives, in milliseconds; the SDK throttles what reaches the server. */
const beatEveryMs = 1_000;
/**
 * Where Temporal is patient, what only waits for its turn goes out with every third beat: hundreds that wait in a mover would
 * ask for more of it, and of the server, than those that copy. A pause, too, is heard of by a beat: within 5 s.
 */
const restBeats = 3;
const patientMs = 15_000;

/** See `TransferProgress`. */
const onlyWaits = (detail: unknown): boolean => (detail as { stage?: unknown }).stage === 'waiting';

/** How many attempts this process was handed. */
let handedOver = 0;

/** A `Work` that can also carry a structured report (a mover's progress) in its heartbeats. */
export interface ReportingWork extends Work {
  /** Which try of Temporal's this is, from 1. */
  readonly attempt: number;
  /** Whether Temporal has handed this step out before, also where it counts from 1 again and has forgotten what was reported. */
  readonly again: boolean;
  /** Where it stands among all attempts of this process, in the order in which Temporal handed them over. */
  readonly order: number;
  /** What the last attempt of this activity reported last; undefined in the first one. */
  readonly earlier: unknown;
  beat(detail: unknown): void;
  /** For the worker's log: what an operator should know and no error says. */
  note(text: string): void;
  /**
   * S8: awaited right before each write on a disk that other workers reach as well: rejects unless Temporal has acknowledged
   * this attempt a short while ago (activities/lease.ts).
   */
  assure(signal: AbortSignal): Promise<void>;
}

/** Turns `act` into an activity named `name`. `carried`: what of the last attempt's report this one reports from its first beat on. */
export function activity<Input, Output>(
  name: string,
  act: (input: Input, work: ReportingWork) => Promise<Output>,
  carried: (earlier: unknown) => object = () => ({}),
): (input: Input) => Promise<Output> {
  return async (input) => {
    // Before anything is awaited, or the order would be that of what is waited for.
    const order = ++handedOver;
    const context = Context.current();
    const { cancellationSignal: told, info } = context;
    const lost = new AbortController();
    const pulse = new Pulse(name, info.heartbeatTimeoutMs, systemClock, lost);
    const inVain = new InVain(info);
    const withTime = withWorked(info);
    const earlier: unknown = info.heartbeatDetails;
    let latest: unknown = { now: name, ...carried(earlier) };
    const details = (): unknown => inVain.with(withTime(latest));
    const lease = leaseOf(context, name, details, lost);
    const signal = eitherOf(told, lost.signal);
    const rest = (info.heartbeatTimeoutMs ?? 0) < patientMs ? 1 : restBeats;
    let quietFor = 0;
    const beat = (detail: unknown): void => {
      latest = detail;
      quietFor = 0;
      if (pulse.beats()) context.heartbeat(details());
    };
    const beating = setInterval(() => {
      if (++quietFor >= rest || !onlyWaits(latest)) beat(latest);
    }, beatEveryMs);
    beat(latest);
    await tellGoesOn(context);
    const mayChange = (): void => {
      told.throwIfAborted();
      pulse.assertThere();
    };
    try {
      return await act(input, {
        attempt: info.attempt,
        // After a reset this alone tells of the attempts before it.
        again: info.currentAttemptScheduledTimestampMs !== info.scheduledTimestampMs,
        order,
        earlier,
        signal,
        report: (now) => beat({ now }),
        beat,
        note: (text) => context.log.warn(text),
        mayChange,
        assure: async (stop) => lease?.assure(stop),
      });
    } catch (error) {
      lease?.end();
      if (error instanceof NoPlace) {
        inVain.notTried();
        beat(latest);
      }
      if (context.cancellationDetails?.paused) {
        beat(asPaused(latest));
        await tellPaused(context);
      } else if (context.cancellationDetails?.notFound || lost.signal.aborted) await tellEndOfReset(context);
      // What was found out before the end outranks it; an AbortError only says that there was one.
      const seen = lost.signal.aborted && !(error instanceof Failure) ? lost.signal.reason : error;
      throw toTemporal(seen, name, told, inVain.enough);
    } finally {
      lease?.end();
      clearInterval(beating);
    }
  };
}

/** A heartbeat that is answered carries what any other does; an attempt that is never given up for silence needs none. */
function leaseOf(context: Context, subject: string, details: () => unknown, lost: AbortController): Lease | undefined {
  const { heartbeatTimeoutMs, taskToken } = context.info;
  if (heartbeatTimeoutMs === undefined) return undefined;
  const send = async (patienceMs: number): Promise<void> => {
    const { client } = context;
    await client.withDeadline(Date.now() + patienceMs, () => client.activity.heartbeat(taskToken, details()));
  };
  return new Lease({ subject, heartbeatTimeoutMs, send, lost });
}

/** As `AbortSignal.any` does, which takes a KiB more: a mover may have hundreds of attempts in hand. */
function eitherOf(...signals: readonly AbortSignal[]): AbortSignal {
  const either = new AbortController();
  for (const one of signals)
    if (one.aborted) either.abort(one.reason);
    else one.addEventListener('abort', () => either.abort(one.reason), { once: true });
  return either.signal;
}
