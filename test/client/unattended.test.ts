/**
 * A real Temporal server on which no worker of ours lives: what was asked is told as unanswered, soon and with the way out.
 * Rule: no worker is faked; one that asked for work lately and died is a real question for work that was given up.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Link } from '../../client/connect.ts';
import { orderLimits } from '../../client/limits.ts';
import { preflight } from '../../client/preflight.ts';
import { Problem } from '../../client/problem.ts';
import { startCommand } from '../../client/workers.ts';
import { parseInventory } from '../../config/load.ts';
import { findPrograms } from '../../lab/programs.ts';
import { startTemporal, type TemporalServer } from '../../lab/temporal.ts';
import { controlQueue, failbackInput, moverQueue } from '../../model/failback-input.ts';
import { changed, rightText } from '../config/inventory-text.ts';

let folder = '';
let temporal: TemporalServer;
let link: Link;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-unattended-'));
  temporal = await startTemporal((await findPrograms()).temporal, folder);
  link = await connect({ address: temporal.address }, undefined, '/etc/homeward/site a.yaml');
}, 60_000);
afterAll(async () => {
  await link?.close();
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

/** The real program, on this server; an inventory of a mover more than the right one has. */
async function homeward(...args: string[]): Promise<{ code: number; err: string }> {
  const config = join(folder, 'homeward.yaml');
  const text = changed('policies:', '  m2: { site: home, vm: /DC0/vm/mover-2, state: state/m2 }\npolicies:');
  await writeFile(config, text.replace('localhost:7233', temporal.address));
  const program = join(__dirname, '..', '..', 'client', 'homeward.ts');
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, [program, '--config', config, ...args], (_error, _out, err) =>
      resolve({ code: child.exitCode ?? -1, err }),
    );
  });
}

test('S5 S001-12 S7 what cannot be shown, and a mover that is not there, end with 4 and nothing is sent; the cost is waived by a signal only', async () => {
  const run = { workflowId: 'machine/erp-db', taskQueue: controlQueue };
  const handle = await link.client.workflow.start('failback', run);
  const sent = async () =>
    ((await handle.fetchHistory()).events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes);
  const [away, ...unseen] = await Promise.all([
    homeward('mover', 'reassign', 'erp-db', '--to', 'm2', '--yes'),
    homeward('failback', 'complete', 'erp-db', '--yes'),
    homeward('failback', 'cancel', 'erp-db', '--yes'),
    homeward('failback', 'cancel', 'erp-db', '--yes', '--accept-loss'),
    homeward('failback', 'change-point', 'erp-db', '--point', 'latest', '--yes', '--accept-loss'),
    homeward('failback', 'resolve', 'erp-db', '--skip', '--yes'),
  ]);
  for (const one of unseen)
    expect(one).toEqual({
      code: 4,
      err: expect.stringMatching(/nothing was sent, for what it does cannot be shown[\s\S]*is unknown[\s\S]*--signal/),
    });
  expect(away).toEqual({ code: 4, err: expect.stringContaining('no worker of mover m2 serves the task queue') });
  expect(await sent()).toHaveLength(0);
  expect(await homeward('failback', 'complete', 'erp-db', '--yes', '--signal')).toMatchObject({ code: 0 });
  expect(await homeward('failback', 'cancel', 'erp-db', '--yes', '--accept-loss', '--signal')).toMatchObject({
    code: 0,
  });
  expect(await sent()).toHaveLength(2);
  await handle.terminate();
}, 60_000);

/** What a control worker, and the mover m1, leave on the server that died a moment ago. */
async function askedForWorkAndDied(): Promise<void> {
  const { namespace } = link.settings;
  const { workflowService } = link.client;
  // Nobody is remembered who gives no name.
  const identity = 'died@here';
  const asking: (() => Promise<unknown>)[] = [
    () => workflowService.pollWorkflowTaskQueue({ namespace, identity, taskQueue: { name: controlQueue } }),
    () => workflowService.pollActivityTaskQueue({ namespace, identity, taskQueue: { name: moverQueue('m1') } }),
  ];
  // A shorter question the server does not take at all.
  for (const got of await Promise.all(asking.map((ask) => link.within(3_000, ask))))
    expect(got).not.toHaveProperty('taskToken.0');
}

test('R11 a preflight and an order for limits that no control worker takes name the missing worker within half a minute, although one was there lately', async () => {
  await askedForWorkAndDied();
  const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db');
  if (!input) throw new Error('the inventory has no erp-db');
  const begun = Date.now();
  const problems = await Promise.all(
    [preflight(link, input, 300_000), orderLimits(link, { mover: 'm1', waitSeconds: 30 }, 30_000)].map((asked) =>
      asked.catch((error: unknown) => error),
    ),
  );
  expect(Date.now() - begun).toBeLessThan(30_000);
  for (const problem of problems) {
    expect(problem).toBeInstanceOf(Problem);
    const { kind, message, todo } = problem as Problem;
    expect(kind).toBe('unreachable');
    expect(message).toContain('no worker serves the task queue "control"');
    expect(todo).toContain("npm run control -- --config '/etc/homeward/site a.yaml'");
  }
  // Nobody is there to read an answer that comes later.
  for await (const run of link.client.workflow.list()) expect(run.status.name).toBe('TERMINATED');
}, 60_000);

test('a preflight with a wait that is shorter than that names the missing worker too, and not Temporal', async () => {
  await askedForWorkAndDied();
  const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db');
  if (!input) throw new Error('the inventory has no erp-db');
  const asked = (waitMs: number) => preflight(link, input, waitMs).catch((error: unknown) => error);
  for (const waitMs of [1_000, 2_500])
    expect(await asked(waitMs)).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/^no worker (serves|of) the task queue "control"/),
      todo: expect.stringContaining('Start the control worker (npm run control -- --config'),
    });
  // One that took it and says nothing.
  const { namespace } = link.settings;
  const taking = link.within(5_000, () =>
    link.client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: controlQueue } }),
  );
  expect(await asked(1_500)).toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('the control worker took it and did not answer within '),
    todo: expect.stringContaining('longer --wait'),
  });
  await taking;
}, 60_000);

test('a preflight that no worker takes says what it waits for, first of all for the run that is under way', async () => {
  const alone = await homeward('preflight', 'erp-db', '--wait', '5');
  expect(alone).toEqual({
    code: 4,
    err: expect.stringMatching(/^waiting for a control worker to take the question about erp-db … \d s\n/),
  });
  const handle = await link.client.workflow.start('failback', {
    workflowId: 'machine/erp-db',
    taskQueue: controlQueue,
  });
  const beside = await homeward('preflight', 'erp-db', '--wait', '1');
  await handle.terminate();
  expect(beside).toEqual({
    code: 4,
    err: expect.stringMatching(/^asking the run of erp-db how it was started … \d s\n/),
  });
}, 60_000);

test('R11 a mover that nobody runs is told at once by an order for its limits, with the way to start it, and nothing is asked', async () => {
  const begun = Date.now();
  const order = { mover: 'm9', waitSeconds: 30 };
  const clear = { scope: { kind: 'mover', name: 'm9' }, by: 'ana' } as const;
  const outcomes = [await orderLimits(link, { ...order, clear }, 30_000), await orderLimits(link, order, 30_000)];
  expect(Date.now() - begun).toBeLessThan(5_000);
  const start = / Start it: npm run mover -- --config .* --id m9$/;
  const effects = ['; nothing was changed.', ', so what holds there is not known.'];
  for (const [at, effect] of effects.entries()) {
    expect(outcomes[at]).toEqual({ mover: 'm9', silent: expect.stringMatching(start) });
    expect(outcomes[at]).toHaveProperty('silent', expect.stringContaining(`mover m9 does not run${effect}`));
  }
  for await (const run of link.client.workflow.list()) expect(run.workflowId).not.toContain('m9');
}, 40_000);

test('the command that starts a worker names the inventory in use, as a shell takes it', () => {
  expect(startCommand('control', '/srv/b.yaml')).toBe('npm run control -- --config /srv/b.yaml');
  expect(startCommand('mover-m1', '/srv/it is/b.yaml')).toBe("npm run mover -- --config '/srv/it is/b.yaml' --id m1");
});
