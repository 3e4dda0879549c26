/** S7: what parts of Homeward tell a story by signal anybody can send by hand, and it stays in the history. */
import { play } from './stage.ts';

const words = ['seeded', 'convergence', 'sourceTurned', 'points', 'scrubbed', 'copiedAgain'];

test.each(words)(
  'S7 a %s that was sent by hand, and that nothing can be made of, changes nothing and is refused with the reason',
  async (name) => {
    const stage = await play('committed-before');
    const { refusals: _, ...before } = stage.status();
    const odd = [null, 'x', { disk: 7 }, { applicationPoints: 'none' }];
    for (const told of odd) await stage.tell(stage.told(name, told));
    const { refusals, ...after } = stage.status();
    expect(after).toEqual(before);
    expect(refusals.map(({ message }) => message)).toEqual(odd.map(() => name));
    expect(refusals.at(-1)).toMatchObject({ by: 'unknown', reason: expect.stringContaining('not in its shape') });
  },
);

test('S7 a pause that was told by hand, and that nothing can be made of, is not shown', async () => {
  const stage = await play('committed-before');
  const before = stage.status();
  for (const told of [null, 'x', { paused: true }]) await stage.tell(stage.told('steered', told));
  expect(stage.status()).toEqual(before);
});
