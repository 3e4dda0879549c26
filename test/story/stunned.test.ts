/**
 * A control worker stands still in the middle of a step (SIGSTOP, as a stunned machine does), Temporal gives its attempt
 * up, another worker does the step, and then the first one wakes.
 * Rule: what was sent, and by how many, is read from Azure's own log.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Child, startChild } from '../../lab/child.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const heartbeatSeconds = 3;
const stop = 'virtualMachines.deallocate';
let scene: Scene;
let second: Child | undefined;
beforeAll(async () => {
  scene = await openScene(1, { policy: { heartbeatSeconds } });
}, 180_000);
afterAll(async () => {
  await second?.stop();
  await scene?.close();
}, 60_000);

const startSecond = (): Promise<Child> =>
  startChild({
    name: 'worker-control-2',
    program: process.execPath,
    args: [join(__dirname, '../../workers/control.ts'), '--config', scene.lab.config],
    logFolder: scene.lab.folder,
    ready: { lineWith: 'ready' },
  });

async function stopsSent({ machine }: Run): Promise<number> {
  const lines = (await readFile(scene.lab.azure.audit, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  const calls = lines.map((line) => JSON.parse(line) as { operation: string; resource: string });
  return calls.filter(({ operation, resource }) => operation === stop && resource.endsWith(`/${machine.name}`)).length;
}

test('S1 L1 a control worker that stood still between its look and its stop does not send the stop when it wakes', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
  await run.until('Syncing');
  // How the source stands is asked by a step of its own; the second look is that of the stop itself.
  const secondLook = { operation: 'virtualMachines.get', resource: run.machine.name, skip: 1, count: 1 };
  await scene.fault('azure', { ...secondLook, action: { delayMs: 1_000 } });
  await run.say('completeFailover');
  await scene.untilMet('azure');
  const first = scene.workers.pid('control');
  process.kill(first, 'SIGSTOP');
  try {
    expect(await stopsSent(run)).toBe(0);
    second = await startSecond();
    for (const end = Date.now() + 60_000; (await stopsSent(run)) === 0; await pause(100))
      expect(Date.now()).toBeLessThan(end);
  } finally {
    process.kill(first, 'SIGCONT');
  }
  await run.until('AwaitingCommit');
  await pause(1_000);
  expect(await stopsSent(run)).toBe(1);
  await run.say('commit');
  const end = await run.until('Committed');
  expect(end.record.filter((entry) => entry.key === 'operator-called')).toEqual([]);
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 180_000);
