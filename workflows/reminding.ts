/**
 * Reminds of a run that waits for a person, and lets the gate *complete failover* expire where the policy says so.
 * Rule (L4): a reminder changes nothing but what is shown; what expires goes into safety, where the source serves. Nothing
 * here ever opens a gate, and the gate *commit* does not expire: both of its ways out are a person's.
 */
import { CancellationScope, condition, isCancellation, log } from '@temporalio/workflow';
import type { Policy } from '../model/inventory.ts';
import { reminderDueMs } from '../model/reminders.ts';
import type { Wait } from './status-of.ts';
import type { Teller } from './teller.ts';

type Patience = Pick<Policy, 'remindEverySeconds' | 'gateExpiresSeconds'>;

/** Who takes a run back that nobody completed; as the record names it. */
const expiry = 'Homeward, because nobody completed the failover in time (gateExpiresSeconds)';

/** Begins, beside the story; answers how to end it. */
export function beginReminding(teller: Teller): () => void {
  const scope = new CancellationScope();
  const running = scope.run(async () => {
    for (;;) {
      await condition(() => teller.waits() !== undefined);
      const wait = teller.waits();
      if (wait) await watch(teller, wait);
    }
  });
  running.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return () => scope.cancel();
}

/** One wait, from its beginning until it is over or has expired. */
async function watch(teller: Teller, wait: Wait): Promise<void> {
  const begun = Date.now();
  const since = new Date(begun).toISOString();
  const { machine, policy } = teller.input;
  const over = (): boolean => teller.waits() !== wait;
  teller.find({ waiting: { since, reminded: 0 } });
  for (let reminded = 0; !(await sleep(nextMs(policy, wait, begun, reminded), over)); ) {
    if (expires(policy, wait) && Date.now() - begun >= policy.gateExpiresSeconds * 1000) {
      teller.hear('cancel', { by: expiry });
      break;
    }
    reminded++;
    const lastAt = new Date().toISOString();
    teller.find({ waiting: { since, reminded, lastAt } });
    teller.record(`reminded/${wait}`, `the run still waits for a person: ${wait}`, { since, reminded });
    log.warn('a run waits for a person', { machine, wait, since, reminded });
  }
  teller.find({ waiting: undefined });
}

/** Waits; true as soon as the wait is over, false when the time is. `undefined`: no time. */
async function sleep(ms: number | undefined, over: () => boolean): Promise<boolean> {
  if (ms !== undefined) return await condition(over, ms);
  await condition(over);
  return true;
}

const expires = ({ gateExpiresSeconds }: Patience, wait: Wait): boolean =>
  wait === 'completeFailover' && gateExpiresSeconds > 0;

/** Until the next reminder or the expiry, whichever comes first; undefined when neither ever does. */
function nextMs(policy: Patience, wait: Wait, begun: number, reminded: number): number | undefined {
  const { remindEverySeconds, gateExpiresSeconds } = policy;
  const due = [
    ...(remindEverySeconds > 0 ? [begun + reminderDueMs(remindEverySeconds, reminded + 1)] : []),
    ...(expires(policy, wait) ? [begun + gateExpiresSeconds * 1000] : []),
  ];
  return due.length === 0 ? undefined : Math.max(1, Math.min(...due) - Date.now());
}
