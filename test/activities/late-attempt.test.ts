/** S8 with a mover's own verbs: Temporal has given an attempt up before it came to its disk, which may be another's by now. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../model/failure.ts';
import { firstDifference, mib, onWorkbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, image, stale, verbsOn } from './mover-verbs.ts';

test('S8 a copy that Temporal has given up before it came to its disk changes nothing there', async () => {
  await onWorkbench(stale, async (bench) => {
    const { transfer } = await verbsOn(bench);
    await expect(inActivity(transfer, givingUpAfter(0))).rejects.toMatchObject({ type: 'Fenced' });
    expect(firstDifference(bench.content(), stale)).toBe(-1);
  });
});

test('S8 a seal that Temporal has given up before it came to its disk changes nothing there', async () => {
  await onWorkbench(stale, async (bench) => {
    const { transfer, seal } = await verbsOn(bench);
    await inActivity(transfer, givingUpAfter(1_000));
    const open = bench.content();
    await expect(inActivity(seal, givingUpAfter(0))).rejects.toMatchObject({ type: 'Fenced' });
    expect(firstDifference(bench.content(), open)).toBe(-1);
    await inActivity(seal, givingUpAfter(1_000));
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('L5 a copy and a seal say whose disk they open, and that it is urgent', async () => {
  await onWorkbench(stale, async (bench) => {
    const { opened, transfer, seal } = await verbsOn(bench, { urgent: true });
    await inActivity(transfer, givingUpAfter(1_000));
    await inActivity(seal, givingUpAfter(1_000));
    for (const order of opened) expect(order).toMatchObject({ machine: 'erp', urgent: true });
    expect(opened).toHaveLength(2);
  });
});

test('L3 a copy tells how long it took by its mover’s clock, with all that it waited for there', async () => {
  await onWorkbench(stale, async (bench) => {
    const waitMs = 400;
    const { transfer } = await verbsOn(bench, { opening: () => sleep(waitMs) });
    const { durationMs, retried } = await inActivity(transfer, givingUpAfter(1_000));
    expect(durationMs).toBeGreaterThanOrEqual(waitMs - 5);
    expect(retried).toBeUndefined();
    expect(await inActivity(transfer, givingUpAfter(1_000), { attempt: 2 })).toMatchObject({ retried: true });
  });
});

test('L3 a copy that goes on says so though Temporal begins to count anew, by what the last attempt told or by its journal', async () => {
  let broken = true;
  const breaks = async (offset: number): Promise<void> => {
    if (!broken || offset !== 20 * mib) return;
    await sleep(300);
    throw new Failure('Transient', { op: 'read', subject: 'os', message: 'reset', hint: '' });
  };
  await onWorkbench(stale, async (bench) => {
    const { transfer } = await verbsOn(bench, { beforeRead: breaks });
    await expect(inActivity(transfer, givingUpAfter(1_000))).rejects.toMatchObject({ type: 'Transient' });
    broken = false;
    const { retried, resumedBytes } = await inActivity(transfer, givingUpAfter(1_000));
    expect({ retried, resumed: resumedBytes > 0 }).toEqual({ retried: true, resumed: true });
  });
  await onWorkbench(stale, async (bench) => {
    const { transfer } = await verbsOn(bench);
    const earlier = { attempt: 1, heartbeatDetails: { disk: 'os', stage: 'listing' } };
    expect(await inActivity(transfer, givingUpAfter(1_000), earlier)).toMatchObject({ retried: true, resumedBytes: 0 });
  });
});
