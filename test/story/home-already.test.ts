/**
 * A failback of a machine that came home already and whose source is gone.
 * Rule: what a person on call reads must never send them to the side that does not exist, nor have them stop the one that does.
 */
import { homeward } from './command-line.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(1);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const ask = (...args: string[]) => homeward(scene.lab, ...args);

test('S1 S2 a machine that was committed is not started by mistake, and a run that touched nothing does not say that the source serves', async () => {
  const run = await scene.begin();
  const { name } = run.machine;
  const first = await run.comeHome();
  const refused = await ask('failback', 'start', name);
  expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('--again') });
  expect(refused.err).toContain(first.run);
  const looked = await ask('preflight', name);
  expect(looked.code).toBe(3);
  expect(looked.out.replace(/\s+/g, ' ')).toMatch(
    new RegExp(`^refuse not-home-already ${name} it was committed home at \\S+ by run ${first.run}`),
  );
  expect(looked.out).not.toContain('Correct the path');
  expect(await ask('failback', 'start', name, '--again')).toMatchObject({ code: 0 });
  const { trouble, checks, serves } = await run.until('NeedsOperator');
  expect(trouble?.message).toContain('source-found');
  expect(serves).toBe('target');
  const advice = checks.filter(({ id }) => id.startsWith('target-')).map(({ remedy = '' }) => remedy);
  expect(advice.join('\n')).toContain('may be the only live copy');
  expect(JSON.stringify(checks)).not.toMatch(/Power the on-prem machine off|surplus/);
  expect(await run.say('resolve', { action: 'undo' })).toEqual({ accepted: true });
  const view = await run.untilView('over', ({ execution }) => execution === 'completed');
  expect(view.status).toMatchObject({
    phase: 'ReturnedToSource',
    serves: 'as before this run, which touched nothing; it saw: the source was not found, the target ran',
    says: expect.stringContaining('ended before it touched anything'),
    record: expect.arrayContaining([expect.objectContaining({ key: 'nothing-touched' })]),
  });
  expect(view).not.toHaveProperty('remains');
  expect(view.committed?.run).toBe(first.run);
  const shown = await ask('status', name);
  expect(shown.out.replace(/\s+/g, ' ')).toContain(
    `homeward --config ${scene.lab.config} failback evidence ${name} --run ${first.run}`,
  );
  expect(shown.out).not.toMatch(/Nothing of it remains|serves +source/);
  expect((await ask('machines')).out).toMatch(/committed home at .*later run: ReturnedToSource/);
  expect(await ask('failback', 'start', name)).toMatchObject({ code: 3 });
}, 240_000);
