/** What is told of a run that was taken back while its disks were being sealed. */
import { CancelledFailure } from '@temporalio/common';
import { play, refusedBy } from './stage.ts';

const keysOf = (stage: { status(): { record: readonly { key: string }[] } }): string[] =>
  stage.status().record.map(({ key }) => key);

test('S4 S5 a run that is taken back before a disk is sealed never calls the originals half written, nor that they cannot boot', async () => {
  const stage = await play('returned-with-loss', 'sealDisk', 'ensureMoverLeft');
  await stage.tell(stage.said('completeFailover'));
  expect(stage.status()).toMatchObject({ phase: 'Sealing', write: 'in-place' });
  await stage.tell(stage.said('cancel'));
  while (stage.pending().includes('sealDisk'))
    await stage.tell(stage.ended('sealDisk', new CancelledFailure('cancelled')));
  expect(stage.pending()).toEqual(['ensureMoverLeft']);
  await stage.tell(stage.ended('ensureMoverLeft', refusedBy('find machine', 'no machine carries the record')));
  expect(stage.status().phase).toBe('ReturnedToSource');
  expect(keysOf(stage).filter((key) => key.startsWith('seal/'))).toEqual([]);
  expect(stage.status().says).not.toMatch(/half written|cannot boot/);
  const held = stage.status().record.find(({ key }) => key === 'sealed-disks-held');
  expect(held).toMatchObject({ what: expect.stringMatching(/may still hang.*or are not recorded/) });
  expect(held?.facts).toMatchObject({ because: 'no machine carries the record' });
});
