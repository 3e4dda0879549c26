/** What a copy tells of how far it is after its mover was killed: the engine and its record are real, Temporal is the test's. */
import { setTimeout as sleep } from 'node:timers/promises';
import { progressIn } from '../../client/heartbeats.ts';
import { Failure } from '../../model/failure.ts';
import { mib, onWorkbench, type Workbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, image, stale, verbsOn } from './mover-verbs.ts';

const server = () => givingUpAfter(1_000);
const doneIn = (details: unknown): number | undefined => progressIn(details)[0]?.doneBytes;

/** An attempt that breaks near its end; what it told last. */
async function brokenAttempt(bench: Workbench): Promise<unknown> {
  const beforeRead = async (offset: number): Promise<void> => {
    if (offset !== 20 * mib) return;
    await sleep(300);
    throw new Failure('Transient', { op: 'read', subject: 'os', message: 'reset', hint: '' });
  };
  const { transfer } = await verbsOn(bench, { beforeRead });
  const told: unknown[] = [];
  const attempt = inActivity(transfer, server(), { attempt: 1 }, (details) => told.push(details));
  await expect(attempt).rejects.toMatchObject({ type: 'Transient' });
  expect(doneIn(told.at(-1))).toBeGreaterThan(8 * mib);
  return told.at(-1);
}

/** All that an attempt after it tells until it has ended, from its very first word on; so slow that each block is told. */
async function toldAfter(bench: Workbench, heartbeatDetails: unknown): Promise<unknown[]> {
  const told: unknown[] = [];
  const beforeRead = (offset: number) => sleep((50 * offset) / mib);
  const { transfer } = await verbsOn(bench, { opening: () => sleep(1_100), beforeRead });
  await inActivity(transfer, server(), { attempt: 2, heartbeatDetails }, (details) => told.push(details));
  return told;
}

test('L2 a bar does not fall back after a kill of its mover: from its first word on the next attempt tells where the last one was', async () => {
  await onWorkbench(stale, async (bench) => {
    const last = await brokenAttempt(bench);
    const done = (await toldAfter(bench, last)).map(doneIn);
    expect(done.length).toBeGreaterThan(4);
    for (const one of done) expect(one).toBeGreaterThanOrEqual(doneIn(last) ?? 0);
    expect(done.at(-1)).toBe(progressIn(last)[0]?.totalBytes);
  });
});

const nearlyAll = { disk: 'os', stage: 'copying', doneBytes: 23 * mib, totalBytes: image.byteLength };
const movingIn = (details: unknown): boolean => (progressIn(details)[0]?.bytesPerSecond ?? 0) > 0;

test('L2 an attempt whose record knows of less than was told says so as soon as it has moved bytes itself', async () => {
  await onWorkbench(stale, async (bench) => {
    await brokenAttempt(bench);
    const told = await toldAfter(bench, nearlyAll);
    const moving = told.findIndex(movingIn);
    for (const one of told.slice(0, moving)) expect(doneIn(one)).toBe(23 * mib);
    expect(doneIn(told[moving])).toBeLessThan(23 * mib);
  });
});

test('L2 an attempt that must begin anew, because the record is lost, says so before it reads the list', async () => {
  await onWorkbench(stale, async (bench) => {
    const told = await toldAfter(bench, nearlyAll);
    const listing = told.findIndex((one) => progressIn(one)[0]?.stage === 'listing');
    for (const one of told.slice(0, listing)) expect(doneIn(one)).toBe(23 * mib);
    expect(doneIn(told[listing])).toBe(0);
  });
});
