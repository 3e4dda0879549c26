/**
 * Records one history of each way a failback can end into test/story/histories, for replay.test.ts.
 * When a workflow changes so that older runs need not replay any more, record them again, with this one command:
 *
 *   node test/story/record-histories.ts
 *
 * Rule: histories are kept whole; one that carries a secret is not written at all (S13).
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { moverName, moverNameOf } from '../../lab/vcenter.ts';
import { roundsWorkflowId } from '../../model/failback-input.ts';
import { tell } from './both-worlds.ts';
import { nothingMoves, openScene, type Run, type Scene } from './scene.ts';

const folder = join(import.meta.dirname, 'histories');

interface Ending {
  readonly name: string;
  /** Whether the rounds' own workflow is kept too. */
  readonly rounds: boolean;
  play(scene: Scene): Promise<Run>;
}

const endings: readonly Ending[] = [
  {
    name: 'committed-before',
    rounds: true,
    async play(scene) {
      const run = await scene.begin();
      await run.until('Seeding', 'Syncing');
      await run.signal('commit', { by: 'too early' });
      await run.signal('hold', { by: 'ana' });
      await run.untilView('held', nothingMoves);
      await run.say('resume');
      await run.until('Syncing');
      for (const name of ['hold', 'resume', 'hold', 'resume']) await run.signal(name, { by: 'ana' });
      await run.untilView('two rounds on', ({ rounds }) => (rounds?.done ?? 0) >= 3);
      await run.comeHome();
      return run;
    },
  },
  {
    name: 'committed-during',
    rounds: false,
    async play(scene) {
      const run = await scene.begin({ sync: 'during', write: 'staged' });
      await run.until('AwaitingCutover');
      await run.say('completeFailover');
      await run.until('AwaitingCommit');
      // Temporal's own cancellation is refused here, and the run goes on.
      await scene.link.client.workflow.getHandle(run.id).cancel();
      await run.untilView('refused', ({ status }) => (status?.refusals.length ?? 0) > 0);
      await run.say('commit');
      await run.until('Committed');
      return run;
    },
  },
  {
    name: 'returned-from-syncing',
    rounds: true,
    async play(scene) {
      const run = await scene.begin();
      await run.until('Syncing');
      await run.say('cancel');
      await run.until('ReturnedToSource');
      return run;
    },
  },
  {
    name: 'returned-by-request-cancellation',
    rounds: true,
    async play(scene) {
      const run = await scene.begin({ write: 'staged' });
      await run.until('Syncing');
      await scene.link.client.workflow.getHandle(run.id).cancel();
      await run.until('ReturnedToSource');
      return run;
    },
  },
  {
    name: 'returned-with-loss',
    rounds: false,
    async play(scene) {
      const run = await scene.begin({ sync: 'during' });
      await run.until('AwaitingCutover');
      await run.say('completeFailover');
      await run.until('AwaitingCommit');
      await run.say('cancel');
      await run.say('cancel', { acceptLoss: true });
      await run.until('ReturnedToSource');
      return run;
    },
  },
  {
    name: 'operator-called-then-committed',
    rounds: false,
    async play(scene) {
      const { control } = scene.lab.vcenter;
      await tell(`${control}/privileges`, { deny: ['VirtualMachine.Config.AddExistingDisk'] });
      const run = await scene.begin({ sync: 'during' });
      await run.until('NeedsOperator');
      await run.say('resolve', { action: 'retry' });
      await run.untilView('called again', ({ status }) => {
        return status?.phase === 'NeedsOperator' && status.record.length >= 3;
      });
      await tell(`${control}/privileges`, { deny: [] });
      await run.say('resolve', { action: 'retry' });
      await run.comeHome();
      return run;
    },
  },
  {
    name: 'changed-point-then-committed',
    rounds: false,
    async play(scene) {
      const run = await scene.begin({}, { applicationPointEverySeconds: 3_600 });
      await run.untilView('with a point', ({ status }) => status?.applicationPoints?.length === 1);
      await run.say('completeFailover', { point: 'application-consistent' });
      await run.until('AwaitingCommit');
      await run.say('changePoint', { point: 'latest', acceptLoss: true });
      await run.untilView('changed', ({ status }) => {
        return status?.phase === 'AwaitingCommit' && status.pointChanged !== undefined;
      });
      await run.say('commit');
      await run.until('Committed');
      return run;
    },
  },
  {
    name: 'reassigned-then-committed',
    rounds: true,
    async play(scene) {
      const run = await scene.begin();
      await run.until('Syncing');
      await run.say('reassign', { mover: 'mover-2', path: 'a path of no mover' });
      await run.say('reassign', { mover: 'mover-2', path: run.input.mover.path.replace(moverName, moverNameOf(2)) });
      await run.untilView('with mover-2', ({ status }) => status?.mover === 'mover-2');
      await run.untilView('copied again', ({ rounds }) => rounds?.recent.at(-1)?.mode === 'delta');
      await run.comeHome();
      return run;
    },
  },
];

const secretPatterns = /[?&]sig=|accessSAS|eyJ[\w-]{10,}\./;

async function keep(scene: Scene, name: string, workflowId: string): Promise<void> {
  const text = historyToJSON(await scene.link.client.workflow.getHandle(workflowId).fetchHistory());
  // Stack traces name the folder the project happened to lie in; replay does not need it.
  const project = `${join(import.meta.dirname, '../..')}/`;
  const compact = JSON.stringify({ workflowId, history: JSON.parse(text) as unknown }).replaceAll(project, '');
  const secrets = [scene.lab.vcenter.passwordFile, scene.lab.azure.clientSecretFile];
  for (const secret of await Promise.all(secrets.map((file) => readFile(file, 'utf8'))))
    if (compact.includes(secret)) throw new Error(`the history ${name} carries a secret`);
  const payloads = [...compact.matchAll(/"data":"([^"]*)"/g)].map((found) => Buffer.from(found[1] ?? '', 'base64'));
  if (secretPatterns.test(compact + payloads.join('\n'))) throw new Error(`the history ${name} carries a grant`);
  await writeFile(join(folder, `${name}.json`), `${compact}\n`);
  console.log(`${name}: ${Math.round(compact.length / 1024)} KiB`);
}

const scene = await openScene(endings.length, { movers: 2 });
try {
  await scene.workers.restart('mover-2');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const ending of endings) {
    const run = await ending.play(scene);
    await keep(scene, ending.name, run.id);
    if (ending.rounds) await keep(scene, `${ending.name}-rounds`, roundsWorkflowId(run.machine.name));
  }
} finally {
  await scene.close();
}
