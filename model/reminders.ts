/**
 * When a run that waits for a person says so again.
 * Rule: at the policy's own pace at first; a wait of weeks must not fill the story's history, which Temporal ends at 51,200
 * events. Each reminder is five of them, so even one a second costs less than a thousand in the first days and five a day.
 */

const dayMs = 86_400_000;
/** So many come at the policy's pace; after them each pause is twice the one before, up to a day. */
const atOwnPace = 20;

/** Milliseconds from the beginning of the wait to reminder `number` (from 1); `everySeconds` is above 0. */
export function reminderDueMs(everySeconds: number, number: number): number {
  const everyMs = everySeconds * 1000;
  let due = Math.min(number, atOwnPace) * everyMs;
  let pause = everyMs;
  for (let more = atOwnPace; more < number; more++) {
    pause = Math.max(everyMs, Math.min(pause * 2, dayMs));
    due += pause;
  }
  return due;
}
