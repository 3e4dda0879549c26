/**
 * S8 with a mover's own verbs: Temporal has given an attempt up before it came to its disk, which may be another's by now.
 * Rule: Temporal and the source, which lie behind the network, are the test's own; the engine, the record and the disk are real.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActivityNotFoundError } from '@temporalio/client';
import { MoverLimits } from '../../activities/limits.ts';
import { openTableRoom } from '../../activities/table-room.ts';
import { createMoverActivities } from '../../activities/transfer.ts';
import { Failure } from '../../model/failure.ts';
import type { OpenRequest, SourceReader } from '../../sites/source.ts';
import { firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';

const size = 24 * mib;
const image = patternImage(1, size);
const stale = patternImage(9, size);

/** Lets so many heartbeats through, then says that it knows no such attempt. */
function givingUpAfter(beats: number) {
  let heard = 0;
  return {
    heartbeat: (): Promise<void> =>
      ++heard > beats ? Promise.reject(new ActivityNotFoundError('Not found')) : Promise.resolve(),
  };
}

async function verbsOn(
  { stateDir, path }: Bench,
  urgent = false,
  waitMs = 0,
  beforeRead?: (offset: number) => Promise<void>,
) {
  const limits = await MoverLimits.open({ mover: 'm1', cutover: 'limited', scopes: [] }, stateDir);
  const opened: OpenRequest[] = [];
  const openPoint = async (order: OpenRequest) => {
    opened.push(order);
    await sleep(waitMs);
    return new ImagePoint(image, undefined, beforeRead);
  };
  const reader = { openPoint } as Partial<SourceReader> as SourceReader;
  const finder = { site: 'home', findDevice: async () => path };
  const parts = { limits, finder, stateDir, turns: openTableRoom(), site: 'home', version: '', datastores: {} };
  const verbs = createMoverActivities({ ...parts, reader: () => reader });
  const point = { disk: 'os', id: 'p1', identity: 'i', sizeBytes: size } as const;
  const disk = { disk: 'os', slot: 'scsi0:0', file: 'os.vmdk', sizeBytes: size, uuid: 'u' } as const;
  const input = { machine: 'erp', run: 'run-1', sourceSite: 'west', disk, point, urgent };
  const seal = () => verbs.sealDisk({ ...input, reread: false });
  return { opened, seal, transfer: () => verbs.transferDisk(input) };
}
type Bench = Pick<Workbench, 'stateDir' | 'path'>;

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
    const { opened, transfer, seal } = await verbsOn(bench, true);
    await inActivity(transfer, givingUpAfter(1_000));
    await inActivity(seal, givingUpAfter(1_000));
    for (const order of opened) expect(order).toMatchObject({ machine: 'erp', urgent: true });
    expect(opened).toHaveLength(2);
  });
});

test('L3 a copy tells how long it took by its mover’s clock, with all that it waited for there', async () => {
  await onWorkbench(stale, async (bench) => {
    const waitMs = 400;
    const { transfer } = await verbsOn(bench, false, waitMs);
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
    const { transfer } = await verbsOn(bench, false, 0, breaks);
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
