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

test('S3 disks that were read back through the page cache are told as that by the record, the seals and the commit gate', async () => {
  const stage = await play('returned-with-loss', 'sealDisk');
  await stage.tell(stage.said('completeFailover'));
  const sealOf = (disk: string) => ({
    ...{ disk, point: 'p', sizeBytes: 1024, algorithm: 'blake3-64k', root: disk.repeat(4), provenBytes: 1024 },
  });
  const disks = stage.status().disks.map(({ disk }) => disk);
  const [first = '', ...others] = disks;
  await stage.tell(stage.ended('sealDisk', { ...sealOf(first), cached: true }));
  for (const disk of others) await stage.tell(stage.ended('sealDisk', sealOf(disk)));
  const { record, seals } = stage.status();
  const entryOf = (disk: string) => record.find(({ key }) => key === `seal/${disk}`);
  expect(entryOf(first)).toMatchObject({
    what: expect.stringMatching(/sealed.*through the mover.s page cache.*not from the storage/),
    facts: { readBackThroughCache: true },
  });
  for (const disk of others) {
    expect(entryOf(disk)?.what).not.toContain('cache');
    expect(entryOf(disk)?.facts).not.toHaveProperty('readBackThroughCache');
  }
  expect(seals.map(({ disk, cached }) => [disk, cached])).toEqual([
    [first, true],
    ...others.map((disk) => [disk, undefined]),
  ]);
  expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit' });
  expect(stage.status().waitsFor).toMatch(new RegExp(`^commit: ${first} was read back through the mover.s page cache`));
});
