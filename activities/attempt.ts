/**
 * The frame around every activity: a heartbeat beside the work, a place to report to, failures turned into Temporal's.
 * Rule: heartbeats say that the worker lives, nothing else; a stalled call is found by the site's own I/O deadline. An
 * attempt that could not say so in time changes nothing any more (activities/pulse.ts).
 */
import { Context, type Info } from '@temporalio/activity';
import type { Claim } from '../disk/attempts.ts';
import { Failure } from '../model/failure.ts';
import type { Work } from '../sites/source.ts';
import { toTemporal } from './failure.ts';
import { Pulse } from './pulse.ts';
import { asPaused, tellGoesOn, tellPaused } from './steering.ts';

/** How often the worker shows that it lives, in milliseconds; the SDK throttles what reaches the server. */
const beatEveryMs = 1_000;

/** A `Work` that can also carry a structured report (a mover's progress) in its heartbeats. */
export interface ReportingWork extends Work {
  /** Which try of Temporal's this is, from 1. */
  readonly attempt: number;
  /** The same as an order over all attempts at all steps. */
  readonly claim: Claim;
  beat(detail: unknown): void;
}

/** Turns `act` into an activity named `name`. */
export function activity<Input, Output>(
  name: string,
  act: (input: Input, work: ReportingWork) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const context = Context.current();
    const { cancellationSignal: told, info } = context;
    const pulse = new Pulse(name, info.heartbeatTimeoutMs);
    const signal = AbortSignal.any([told, pulse.signal]);
    let latest: unknown = { now: name };
    const beat = (detail: unknown): void => {
      latest = detail;
      if (pulse.beats()) context.heartbeat(latest);
    };
    const beating = setInterval(() => beat(latest), beatEveryMs);
    beat(latest);
    await tellGoesOn(context);
    const mayChange = (): void => {
      told.throwIfAborted();
      pulse.assertThere();
    };
    try {
      return await act(input, {
        attempt: info.attempt,
        claim: claimOf(info),
        signal,
        report: (now) => beat({ now }),
        beat,
        mayChange,
      });
    } catch (error) {
      if (context.cancellationDetails?.paused) {
        beat(asPaused(latest));
        await tellPaused(context);
      }
      // What was found out before the end outranks it; an AbortError only says that there was one.
      const seen = pulse.signal.aborted && !(error instanceof Failure) ? pulse.signal.reason : error;
      throw toTemporal(seen, name, told, info.attempt);
    } finally {
      clearInterval(beating);
    }
  };
}

/** By the server's clock: an operator's reset begins to count attempts anew, and steps of one name follow each other. */
const claimOf = ({ workflowExecution, activityId, currentAttemptScheduledTimestampMs }: Info): Claim => ({
  step: `${workflowExecution?.workflowId} ${workflowExecution?.runId} ${activityId}`,
  givenAtMs: currentAttemptScheduledTimestampMs,
});
