/** Who started a run, and why, stands in its record. */
import { play, playFrom } from './stage.ts';

const begun = 'committed-before';
const first = ({ record }: { readonly record: readonly { readonly key: string }[] }) => record[0];

test('S12 who started a run, and why, is the first word of its record', async () => {
  const startedBy = { by: 'ana', note: 'the flood is over' };
  const stage = await playFrom(begun, { startedBy }, 'observePreflight');
  expect(first(stage.status())).toMatchObject({
    ...{ key: 'started', what: 'ana started the way home', facts: startedBy },
  });
});

test('S12 a run of which nobody says who started it has no such word', async () => {
  const stage = await play(begun);
  expect(stage.status().record.map(({ key }) => key)).not.toContain('started');
});
