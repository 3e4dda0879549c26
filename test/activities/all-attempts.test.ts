/** What a copy of several attempts is told to have taken: what they worked, and not what lay between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countingAttempts } from '../../activities/all-attempts.ts';
import { Failure } from '../../model/failure.ts';
import type { TransferProof } from '../../model/machine.ts';
import { mib, onWorkbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, stale, verbsOn } from './mover-verbs.ts';

/** Long enough for a heartbeat in it, which comes each second. */
const long = { workMs: 1_400, betweenMs: 2_500 };

/** One attempt whose source takes its time and breaks, or not; `told`: what its heartbeats tell. */
async function attempts(
  earlier: (told: unknown) => object,
  { workMs, betweenMs } = { workMs: 0, betweenMs: 0 },
): Promise<TransferProof> {
  let broken = true;
  const beforeRead = async (offset: number): Promise<void> => {
    if (offset !== 20 * mib) return;
    await sleep(workMs);
    if (broken) throw new Failure('Transient', { op: 'read', subject: 'os', message: 'reset', hint: '' });
  };
  let proof: TransferProof | undefined;
  await onWorkbench(stale, async (bench) => {
    const { transfer } = await verbsOn(bench, { beforeRead });
    const copy = () => countingAttempts(transfer)(undefined);
    let told: unknown;
    const heard = (details: unknown): void => {
      told = details;
    };
    const first = inActivity(copy, givingUpAfter(1_000), { attempt: 1 }, heard);
    await expect(first).rejects.toMatchObject({ type: 'Transient' });
    await sleep(betweenMs);
    broken = false;
    proof = await inActivity(copy, givingUpAfter(1_000), { attempt: 2, ...earlier(told) });
  });
  if (!proof) throw new Error('the second attempt proved nothing');
  return proof;
}

test('L3 a copy of two attempts is told with what both worked by their mover’s clocks, and not what lay between them', async () => {
  const { workedMs = 0, durationMs } = await attempts((heartbeatDetails) => ({ heartbeatDetails }), long);
  expect(workedMs).toBeGreaterThanOrEqual(durationMs + 950);
  expect(workedMs).toBeLessThan(durationMs + long.workMs + long.betweenMs);
});

test('L3 of attempts that nothing told of it is not said what they took', async () => {
  const untold = await attempts(() => ({}));
  expect(untold.retried).toBe(true);
  expect(untold).not.toHaveProperty('workedMs');
  const reset = { attempt: 1, scheduledTimestampMs: 1, currentAttemptScheduledTimestampMs: 2 };
  expect(await attempts(() => reset)).not.toHaveProperty('workedMs');
});

test('L3 a copy that goes on from its journal in a step of its own is told with that step, and one of one attempt as it is', async () => {
  const again = await attempts(() => ({ attempt: 1 }), { workMs: 300, betweenMs: 0 });
  expect(again.workedMs).toBeGreaterThanOrEqual(again.durationMs);
  await onWorkbench(stale, async (bench) => {
    const { transfer } = await verbsOn(bench);
    const proof = await inActivity(() => countingAttempts(transfer)(undefined), givingUpAfter(1_000));
    expect(proof).not.toHaveProperty('workedMs');
  });
});
