/** When a grant is taken back: kept between two steps, given back behind whoever may not wait, and always in the end. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DiskPoint } from '../../model/machine.ts';
import { parseId } from '../../sites/azure/arm-id.ts';
import type { PointRequest } from '../../sites/source.ts';
import { type AzureLab, failureOf, mib, openAzureLab, quiet } from './azure-lab.ts';

const { signal } = new AbortController();
const piece = Buffer.alloc(64 * 1024);
let lab: AzureLab;
let request: PointRequest;
let number = 0;

beforeAll(async () => {
  lab = await openAzureLab();
  await lab.write('erp-db-data', 0, randomBytes(mib));
  request = await lab.pointRequest();
});
afterEach(() => lab.faults.remove());
afterAll(() => lab.close());

async function takePoint(): Promise<DiskPoint> {
  number += 1;
  const { disks } = await lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
  const only = disks.find((one) => one.disk === 'data-0');
  if (!only) throw new Error('no disk in the point');
  return only;
}

const activeGrants = (): string[] => lab.world.grants.names();
const grantsTaken = (): number => lab.calls().filter((call) => call === 'snapshots.grantAccess').length;
const untilNone = async (): Promise<void> => {
  for (let looks = 0; activeGrants().length > 0 && looks < 500; looks++) await pause(20);
  expect(activeGrants()).toEqual([]);
};

test('the grant of the last transfer serves the seal, and no step waits for a revocation (S11)', async () => {
  const own = lab.reader();
  const [base, point] = [await takePoint(), await takePoint()];
  lab.calls();
  lab.fault('snapshots.revokeAccess', { delayMs: 400 }, { count: 9 });
  const final = await own.openPoint({ point, base, disk: 'data-0', afterwards: 'keep' }, quiet());
  await final.read(0, piece, signal);
  await final.close();
  expect(activeGrants()).toHaveLength(2);
  const seal = await own.openPoint({ point, disk: 'data-0', afterwards: 'let-go' }, quiet());
  await seal.read(0, piece, signal);
  await seal.close();
  expect(activeGrants()).not.toHaveLength(0);
  expect(grantsTaken()).toBe(2);
  await untilNone();
  await own.close();
});

test('of two grants that are kept for the same step one is given back (S11)', async () => {
  const own = lab.reader();
  const point = await takePoint();
  const order = { point, disk: 'data-0', afterwards: 'keep' } as const;
  const [first, second] = [await own.openPoint(order, quiet()), await own.openPoint(order, quiet())];
  await first.close();
  lab.calls();
  await second.close();
  await pause(300);
  expect(lab.calls()).toContain('snapshots.revokeAccess');
  await own.close();
  expect(activeGrants()).toEqual([]);
});

test('what is still kept when the process closes is revoked (S11)', async () => {
  const own = lab.reader();
  const point = await takePoint();
  await (await own.openPoint({ point, disk: 'data-0', afterwards: 'keep' }, quiet())).close();
  expect(activeGrants()).toHaveLength(1);
  await own.close();
  expect(activeGrants()).toHaveLength(0);
});

test('L7 a process that ends waits no longer for revocations that hang', async () => {
  const own = lab.reader();
  const point = await takePoint();
  await (await own.openPoint({ point, disk: 'data-0', afterwards: 'keep' }, quiet())).close();
  lab.fault('snapshots.revokeAccess', { delayMs: 30_000 }, { count: 9 });
  const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'late').unref());
  expect(await Promise.race([own.close().then(() => 'gone'), late])).toBe('gone');
  lab.faults.remove();
}, 20_000);

test('L7 S11 an attempt that is told to stop waits for no revocation, and each grant is taken back all the same', async () => {
  const own = lab.reader();
  const [base, point] = [await takePoint(), await takePoint()];
  const [stop, sooner] = [new AbortController(), new AbortController()];
  const reader = await own.openPoint({ point, base, disk: 'data-0' }, quiet(stop.signal));
  lab.fault('snapshots.revokeAccess', { delayMs: 3_000 }, { count: 9 });
  const closing = reader.close();
  stop.abort();
  await closing;
  expect(activeGrants()).toHaveLength(2);
  await untilNone();
  // One that is still asked for is taken back as well, once Azure has answered.
  lab.fault('snapshots.grantAccess', { delayMs: 3_000 });
  const began = performance.now();
  const told = { ...quiet(sooner.signal), mayChange: () => sooner.abort() };
  await expect(own.openPoint({ point, disk: 'data-0' }, told)).rejects.toThrow();
  expect(performance.now() - began).toBeLessThan(3_000);
  while (activeGrants().length === 0) await pause(20);
  await untilNone();
  await own.close();
}, 20_000);

test('L1 S11 a grant that Azure leaves in progress is not waited for without end, and one that comes late is taken back', async () => {
  const own = lab.reader({ grantWithinMs: 300 });
  const point = await takePoint();
  const settings = lab.world.settings as { lroMs: number };
  const usualMs = settings.lroMs;
  settings.lroMs = 1_200;
  const opening = failureOf(own.openPoint({ point, disk: 'data-0' }, quiet()));
  while (activeGrants().length === 0) await pause(20);
  expect(await opening).toMatchObject({ kind: 'Transient', hint: expect.stringContaining('Azure portal') });
  expect(activeGrants()).toEqual([]);
  settings.lroMs = usualMs;
  const reader = await own.openPoint({ point, disk: 'data-0' }, quiet());
  await reader.read(0, piece, signal);
  await own.close();
}, 20_000);

test('S11 a grant that Azure gives long after its lease was closed is taken back all the same', async () => {
  const own = lab.reader();
  const point = await takePoint();
  const { name } = parseId(point.id);
  const patience: AbortController[] = [];
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    patience.push(new AbortController());
    return (patience.at(-1) as AbortController).signal;
  });
  try {
    const stop = new AbortController();
    lab.fault('snapshots.grantAccess', { delayMs: 1_000 });
    // Slow enough to be seen before it is taken back.
    lab.fault('snapshots.revokeAccess', { delayMs: 1_000 }, { count: 9 });
    const told = { ...quiet(stop.signal), mayChange: () => stop.abort() };
    await expect(own.openPoint({ point, disk: 'data-0' }, told)).rejects.toThrow();
    expect(activeGrants()).not.toContain(name);
    // All that was to be over within a time is over, and only then Azure answers.
    for (const each of patience) each.abort();
    while (!activeGrants().includes(name)) await pause(20);
    for (let looks = 0; activeGrants().includes(name) && looks < 500; looks++) await pause(20);
    expect(activeGrants()).not.toContain(name);
  } finally {
    timeout.mockRestore();
    await own.close();
  }
});

test('a reader that is closed twice leaves a grant that serves', async () => {
  const own = lab.reader();
  const point = await takePoint();
  const first = await own.openPoint({ point, disk: 'data-0', afterwards: 'keep' }, quiet());
  await first.close();
  await first.close();
  const seal = await own.openPoint({ point, disk: 'data-0', afterwards: 'let-go' }, quiet());
  await seal.read(0, piece, signal);
  await seal.close();
  await own.close();
});

test('a kept grant that the service no longer takes is renewed by who reads with it', async () => {
  const own = lab.reader();
  const point = await takePoint();
  await (await own.openPoint({ point, disk: 'data-0', afterwards: 'keep' }, quiet())).close();
  lab.world.grants.expireAll();
  const seal = await own.openPoint({ point, disk: 'data-0', afterwards: 'let-go' }, quiet());
  await seal.read(0, piece, signal);
  await seal.close();
  await own.close();
});
