/** S3 S12: that a disk is copied in full although there is a base is told with why, before the copy begins. */
import { play, playRounds, refusedBy } from './stage.ts';

const found = 'block 7 [29360128, 29425664) is no longer what was proven';
const hint = 'Something else wrote to the disk, or its storage lost bytes: find out which.';
const broken = Object.assign(refusedBy('lineage', found, { hint }), { type: 'Corrupt' });
const spoilt = Object.assign(refusedBy('state.checkpoint', 'the record of this disk is damaged', { hint }), {
  type: 'Corrupt',
});
const point = 'ensureRecoveryPoint';
const key = /^copied-again\//;

test('S3 S9 S12 of the first copy too, when the mover finds its record of it damaged; a second time calls an operator', async () => {
  const rounds = await playRounds('committed-before-rounds', 'transferDisk');
  const copies = rounds.pending();
  expect(copies).toContain('transferDisk');
  await rounds.tell(rounds.ended('transferDisk', spoilt));
  expect(rounds.pending()).toEqual(copies);
  expect(rounds.toldByRounds().find(([name]) => name === 'copiedAgain')).toMatchObject([
    'copiedAgain',
    { because: 'the record of this disk is damaged', hint },
  ]);
  const again = async (): Promise<void> => {
    while (rounds.pending().includes('transferDisk')) await rounds.tell(rounds.ended('transferDisk', spoilt));
  };
  await expect(again()).rejects.toThrow('the record of this disk is damaged');
  expect(rounds.toldByRounds().filter(([name]) => name === 'copiedAgain')).toHaveLength(
    copies.filter((one) => one === 'transferDisk').length,
  );
});

test('S3 S4 a seal that finds the record damaged calls an operator first, because the outage lasts', async () => {
  const stage = await play('returned-with-loss', 'sealDisk');
  await stage.tell(stage.said('completeFailover'));
  while (stage.pending().includes('sealDisk')) await stage.tell(stage.ended('sealDisk', spoilt));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', trouble: { op: 'state.checkpoint' } });
  expect(stage.status().record.filter((entry) => key.test(entry.key))).toEqual([]);
});

test('S3 S12 of the final round, which nobody serves meanwhile', async () => {
  const stage = await play('committed-before', 'transferDisk');
  await stage.tell(stage.said('completeFailover'));
  const copies = stage.pending();
  expect(stage.status().record.filter((entry) => key.test(entry.key))).toEqual([]);
  await stage.tell(stage.ended('transferDisk', broken));
  expect(stage.pending()).toEqual(copies);
  const told = stage.status().record.filter((entry) => key.test(entry.key));
  expect(told).toMatchObject([
    { what: expect.stringContaining('copied in full again'), facts: { because: found, hint } },
  ]);
});

test('S3 S12 of a round, whose failback hears of it and records it', async () => {
  const rounds = await playRounds('reassigned-then-committed-rounds', 'transferDisk', 'scrubDisk', point);
  await rounds.tell(rounds.ended(point));
  while (rounds.pending().includes('transferDisk')) await rounds.tell(rounds.ended('transferDisk'));
  await rounds.tell(rounds.passed(500));
  await rounds.tell(rounds.ended(point));
  expect(rounds.toldByRounds().map(([name]) => name)).not.toContain('copiedAgain');
  await rounds.tell(rounds.ended('transferDisk', broken));
  const [, told] = rounds.toldByRounds().find(([name]) => name === 'copiedAgain') ?? [];
  expect(told).toMatchObject({ because: found, hint });
  expect(rounds.pending()).toContain('transferDisk');
  const stage = await play('committed-before');
  await stage.tell(stage.told('copiedAgain', told));
  expect(stage.status().record.filter((entry) => key.test(entry.key))).toMatchObject([
    { facts: { because: found, hint } },
  ]);
});

test('S3 S12 at the seal, where a scrub may have found it at the last moment', async () => {
  const stage = await play('returned-with-loss', 'sealDisk');
  await stage.tell(stage.said('completeFailover'));
  stage.mine('sealDisk', 'transferDisk');
  await stage.tell(stage.ended('sealDisk', broken));
  expect(stage.pending()).toContain('transferDisk');
  expect(stage.status().record.filter((entry) => key.test(entry.key))).toMatchObject([
    { facts: { because: found, hint } },
  ]);
});

test.each([
  ['its lineage broke', broken, found],
  ['the record went bad', spoilt, 'the record of this disk is damaged'],
])(
  'S3 S12 on the way to another point, before which the machine at home was stopped: %s',
  async (_, failure, because) => {
    const stage = await play('changed-point-then-committed', 'observeSourceStaysOff');
    await stage.tell(stage.said('completeFailover', { point: 'application-consistent' }));
    stage.mine('observeSourceStaysOff', 'transferDisk');
    await stage.tell(stage.said('changePoint', { point: 'latest', acceptLoss: true }));
    while (stage.pending().includes('observeWritten'))
      await stage.tell(stage.ended('observeWritten', refusedBy('observe-written', 'no count')));
    expect(stage.status().phase).toBe('ChangingPoint');
    const copies = stage.pending();
    await stage.tell(stage.ended('transferDisk', failure));
    expect(stage.pending()).toEqual(copies);
    expect(stage.status().record.filter((entry) => key.test(entry.key))).toMatchObject([{ facts: { because, hint } }]);
  },
);
