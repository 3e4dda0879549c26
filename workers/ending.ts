/**
 * How a worker process ends when it is asked to: within ten seconds (L7), whether or not Temporal takes its farewell.
 * Rule: whoever asked is told in the log. What a worker had in hand that was left is begun anew elsewhere, once its heartbeats are missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

/** Of the SDK, which without Temporal waits for minutes, or ends in an error of its own. */
const windDownMs = 9_000;
const endMs = 9_700;

/**
 * Waits for the end of a worker and gives back what it holds; `whole`: it has ended, else it is left. Throws what ends it unasked.
 * `asked`: of `onceAsked`.
 */
export async function endInOrder(
  asked: Promise<void>,
  running: Promise<void>,
  close: (whole: boolean) => Promise<void>,
  log: Log,
): Promise<void> {
  const [left, late] = [windDownMs, endMs].map((ms) => asked.then(() => sleep(ms, false)));
  const whole = await Promise.race([running.then(() => true), left]);
  if (!whole)
    log.warn('Temporal did not take the farewell; what this worker had in hand is begun anew by another attempt');
  await Promise.race([close(whole === true), late]);
}

/** Temporal's runtime listens to both signals, and winds the worker down once there is one; until then it swallows them. */
const endings = ['SIGINT', 'SIGTERM'] as const;

/** Resolves when the process is asked to end, and tells it in one line, by whichever signal comes first. */
export const onceAsked = (log: Log): Promise<void> =>
  new Promise((resolve) => {
    const tell = (signal: NodeJS.Signals): void => {
      for (const each of endings) process.off(each, tell);
      log.info(`asked to end (${signal}): it takes no new work, hands over what it has and ends within ten seconds`);
      resolve();
    };
    for (const each of endings) process.on(each, tell);
  });
