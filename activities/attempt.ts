/**
 * The frame around every activity: a heartbeat beside the work, a place to report to, failures turned into Temporal's.
 * Rule: heartbeats say that the worker lives, nothing else; a stalled call is found by the site's own I/O deadline.
 */
import { Context } from '@temporalio/activity';
import type { Work } from '../sites/source.ts';
import { toTemporal } from './failure.ts';
import { asPaused, tellGoesOn, tellPaused } from './steering.ts';

/** How often the worker shows that it lives, in milliseconds; the SDK throttles what reaches the server. */
const beatEveryMs = 1_000;

/** A `Work` that can also carry a structured report (a mover's progress) in its heartbeats. */
export interface ReportingWork extends Work {
  beat(detail: unknown): void;
}

/** Turns `act` into an activity named `name`. */
export function activity<Input, Output>(
  name: string,
  act: (input: Input, work: ReportingWork) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const context = Context.current();
    let latest: unknown = { now: name };
    const beat = (detail: unknown): void => {
      latest = detail;
      context.heartbeat(latest);
    };
    const pulse = setInterval(() => context.heartbeat(latest), beatEveryMs);
    context.heartbeat(latest);
    await tellGoesOn(context);
    try {
      return await act(input, {
        signal: context.cancellationSignal,
        report: (now) => beat({ now }),
        beat,
      });
    } catch (error) {
      if (context.cancellationDetails?.paused) {
        beat(asPaused(latest));
        await tellPaused(context);
      }
      throw toTemporal(error, name, context.cancellationSignal, context.info.attempt);
    } finally {
      clearInterval(pulse);
    }
  };
}
