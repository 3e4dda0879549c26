/**
 * Limits on the real server: set by the command line in a running copy, seen in its status, kept over a kill of the mover.
 * Rule: only upper bounds on what was moved; a slow machine must not break them.
 */
import { type MoverOutcome, orderLimits } from '../../client/limits.ts';
import type { LimitsAnswer, LimitsOrder } from '../../model/limits-order.ts';
import { homeward } from './command-line.ts';
import { openScene, type Scene } from './scene.ts';

const MiB = 1024 ** 2;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(1);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

/** What a person types, as a process of its own. */
async function typed(code: number, ...args: string[]): Promise<{ movers: MoverOutcome[] }> {
  const ended = await homeward(scene.lab, '--json', 'limits', ...args);
  expect({ code: ended.code, err: ended.code === 0 ? ended.err : '' }).toEqual({ code, err: '' });
  return JSON.parse(ended.out) as { movers: MoverOutcome[] };
}

/** The same by the library, which takes no start of a process. */
async function ordered(order: Omit<LimitsOrder, 'mover'>): Promise<LimitsAnswer['scopes']> {
  const outcome = await orderLimits(scene.link, { mover: 'mover-1', ...order }, 60_000);
  if (!('answer' in outcome)) throw new Error(`the mover did not answer: ${JSON.stringify(outcome)}`);
  return outcome.answer.scopes;
}

const mover = { kind: 'mover', name: 'mover-1' } as const;
const azure = { kind: 'site', name: 'azure' } as const;

test('R11 C18 L2 a limit slows a running copy, is seen in it, outlives its mover, and lifting it frees the copy', async () => {
  const set = await typed(0, 'set', '1MiB/s', '--mover', 'mover-1', '--by', 'ana', '--note', 'office hours');
  const byAna = { bytesPerSecond: MiB, set: { by: 'ana', note: 'office hours' } };
  expect(set.movers).toMatchObject([{ mover: 'mover-1', answer: { scopes: [byAna, {}, {}] } }]);
  const run = await scene.begin();
  const held = await run.untilView('held back', ({ transfers }) => transfers.some(({ limit }) => limit?.holdsBack));
  expect(held.transfers.find(({ limit }) => limit)?.limit).toMatchObject({
    bytesPerSecond: MiB,
    by: 'mover mover-1',
  });
  expect(held.status?.phase).toBe('Seeding');

  await scene.workers.kill('mover');
  const unheard = await typed(4, 'set', 'none', '--mover', 'mover-1', '--wait', '1');
  expect(unheard.movers).toEqual([{ mover: 'mover-1', silent: expect.stringContaining('nothing was changed') }]);
  await scene.workers.restart('mover');
  expect(await ordered({})).toMatchObject([byAna, {}, {}]);

  await ordered({ set: { scope: azure, rule: { rate: '16MiB/s' }, by: 'ben' } });
  expect(await ordered({ clear: { scope: mover, by: 'ben' } })).toMatchObject([
    { rules: [] },
    { bytesPerSecond: 16 * MiB },
    {},
  ]);
  const seeded = await run.untilView('seeded', ({ rounds }) => (rounds?.done ?? 0) > 0);
  const seed = seeded.rounds?.recent[0];
  // Every disk may have one piece on the way beyond what the time allows.
  const allowed = (((seed?.durationMs ?? 0) / 1000 + 0.25) * 16 + 2 * 4) * MiB;
  expect(seed?.copiedBytes).toBeLessThanOrEqual(allowed);
  await ordered({ clear: { scope: azure, by: 'ben' } });
  await run.comeHome();
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 300_000);
