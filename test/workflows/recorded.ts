/**
 * What the worlds answered in a run that was recorded (test/story/histories).
 * Rule: each answer is given once, in its order; the last one of a kind is given again and again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Payload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data: Uint8Array;
}

interface Written {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data?: string;
}
interface Payloads {
  readonly payloads?: readonly Written[];
}
interface Event {
  readonly eventId: string;
  readonly workflowExecutionStartedEventAttributes?: { readonly input: Payloads };
  readonly workflowExecutionSignaledEventAttributes?: { readonly signalName: string; readonly input: Payloads };
  readonly childWorkflowExecutionCompletedEventAttributes?: { readonly result: Payloads };
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityId: string;
    readonly activityType: { readonly name: string };
  };
  readonly activityTaskCompletedEventAttributes?: { readonly scheduledEventId: string; readonly result?: Payloads };
}

export interface Recorded {
  readonly input: readonly Payload[];
  /** What its rounds told, in order. */
  readonly told: readonly { readonly signalName: string; readonly input: readonly Payload[] }[];
  /** How its rounds ended. */
  readonly rounds: Payload | undefined;
  knows(activityType: string, activityId: string): boolean;
  /** The next answer of an activity; undefined when it never gave one. */
  answer(activityType: string, activityId: string): Payload | undefined;
}

const bytes = (text = ''): Uint8Array => Buffer.from(text, 'base64');
const payloadsOf = (written: Payloads | undefined): Payload[] =>
  (written?.payloads ?? []).map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, bytes(value)])),
    data: bytes(data),
  }));

/** Steps of one disk have names of their own; all others are numbered, and known by what they do. */
const keyOf = (activityType: string, activityId: string): string =>
  /^\d+$/.test(activityId) ? activityType : `${activityType} ${activityId}`;

export function recorded(name: string): Recorded {
  const file = join(__dirname, '../story/histories', `${name}.json`);
  const { events } = (JSON.parse(readFileSync(file, 'utf8')) as { history: { events: readonly Event[] } }).history;
  const scheduled = new Map(events.map((event) => [event.eventId, event.activityTaskScheduledEventAttributes]));
  const answers = new Map<string, Payload[]>();
  for (const { activityTaskCompletedEventAttributes: done } of events) {
    const step = done && scheduled.get(done.scheduledEventId);
    if (!step) continue;
    const key = keyOf(step.activityType.name, step.activityId);
    answers.set(key, [...(answers.get(key) ?? []), ...payloadsOf(done.result)]);
  }
  return {
    input: payloadsOf(events[0]?.workflowExecutionStartedEventAttributes?.input),
    told: events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal ? [{ signalName: signal.signalName, input: payloadsOf(signal.input) }] : [],
    ),
    rounds: events.flatMap((event) => payloadsOf(event.childWorkflowExecutionCompletedEventAttributes?.result))[0],
    knows: (activityType, activityId) => answers.has(keyOf(activityType, activityId)),
    answer(activityType, activityId) {
      const left = answers.get(keyOf(activityType, activityId)) ?? [];
      return left.length > 1 ? left.shift() : left[0];
    },
  };
}
