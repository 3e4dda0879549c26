/**
 * The look at the source right before each start of the target leaves for vCenter, behind whatever was waited for.
 * Rule: the source "starts" while the start waits; what was sent is read at the simulator's door.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { refused } from '../../model/failure.ts';
import { onSimulator, original, powerOf, quietWork, returnedBy, type Simulator } from './simulator.ts';

const names = ['waits', 'in-progress', 'signed-out', 'never-off', 'free'];
const work = quietWork();
let simulator: Simulator;
onSimulator(
  names.map((name) => ({ ...original(name), extraConfig: returnedBy(name) })),
  (started) => {
    simulator = started;
  },
);
afterEach(() => simulator.door('DELETE', '/rules'));

const sourceRuns = refused({ op: 'observe-power', subject: 'a', message: 'the source runs', hint: 'Stop it.' });
const rule = (body: object): Promise<unknown> => simulator.door('POST', '/rules', body);
const powerSeen = async (name: string): Promise<string> => (await simulator.machine(name)).power;

/** Looks until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 30_000; !(await isSo()); await pause(20))
    if (performance.now() > deadline) throw new Error('it was not so in time');
}

/** Off when it was looked at `times` times, running from then on. */
function offUntil(times: number) {
  const seen = { looks: 0 };
  const otherSideOff = async (): Promise<void> => {
    if (++seen.looks > times) throw sourceRuns;
  };
  return { seen, otherSideOff };
}

test('S1 a source that was started while the start waited for somebody else’s task is seen before the start is sent', async () => {
  const target = simulator.target();
  let sourceOn = false;
  const otherSideOff = async (): Promise<void> => {
    if (sourceOn) throw sourceRuns;
  };
  await rule({ method: 'CreateSnapshot_Task', objectName: 'waits', where: 'task', delayMs: 40_000 });
  const snapshot = simulator.door('POST', '/snapshot', { vm: 'waits' });
  await until(async () => ((await simulator.door('GET', '/rules')) as { hits: number }[]).some((one) => one.hits > 0));
  const waited: string[] = [];
  const watching = { ...work, report: (detail: string) => void waited.push(detail) };
  const start = target.ensureStarted({ ...powerOf('waits'), otherSideOff }, watching);
  const ended = expect(start).rejects.toBe(sourceRuns);
  await until(() => waited.join().includes('waiting for'));
  sourceOn = true;
  // The task that is in the way goes on.
  await simulator.door('DELETE', '/rules');
  await ended;
  await snapshot;
  expect(await powerSeen('waits')).toBe('off');
});

test('S1 the source is looked at again before a start that a task was in the way of goes out once more', async () => {
  const { seen, otherSideOff } = offUntil(1);
  await rule({ method: 'PowerOnVM_Task', fault: 'TaskInProgress' });
  const start = simulator.target().ensureStarted({ ...powerOf('in-progress'), otherSideOff }, work);
  await expect(start).rejects.toBe(sourceRuns);
  expect(seen.looks).toBe(2);
  expect(await powerSeen('in-progress')).toBe('off');
});

test('S1 the source is looked at again before a start that needed a new sign-in goes out once more', async () => {
  const { seen, otherSideOff } = offUntil(1);
  await rule({ method: 'PowerOnVM_Task', fault: 'NotAuthenticated' });
  const start = simulator.target().ensureStarted({ ...powerOf('signed-out'), otherSideOff }, work);
  await expect(start).rejects.toBe(sourceRuns);
  expect(seen.looks).toBe(2);
  expect(await powerSeen('signed-out')).toBe('off');
});

test('S1 a source that runs ends the start at once, and nothing is sent', async () => {
  const { seen, otherSideOff } = offUntil(0);
  const start = simulator.target().ensureStarted({ ...powerOf('never-off'), otherSideOff }, work);
  await expect(start).rejects.toBe(sourceRuns);
  expect(seen.looks).toBe(1);
  expect(await powerSeen('never-off')).toBe('off');
});

test('S1 a target whose source stays off is started after one look', async () => {
  const { seen, otherSideOff } = offUntil(1);
  const started = await simulator.target().ensureStarted({ ...powerOf('free'), otherSideOff }, work);
  expect(started.power).toBe('running');
  expect(seen.looks).toBe(1);
});
