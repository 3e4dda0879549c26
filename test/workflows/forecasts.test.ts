/**
 * What a run with every copy inside its outage (sync during) foretells in its record, and what it holds against it later.
 */
import type { TransferProof } from '../../model/machine.ts';
import { play, playFrom, type Stage } from './stage.ts';

const proofOf = (disk: string, seconds: number): TransferProof => ({
  ...{ disk, point: 'p@1', mode: 'full', changedBytes: 1_000, copiedBytes: 1_000, zeroedBytes: 0, provenBytes: 1_000 },
  ...{ resumedBytes: 0, durationMs: 1 },
  forecast: { listedBytes: 1_000, saidAfterSeconds: 2, seconds, lowSeconds: seconds / 2, highSeconds: seconds * 2 },
});

const factsOf = (stage: Stage, key: string) => stage.status().record.find((entry) => entry.key === key)?.facts;

/** Through the gate, up to where the machine runs at home. */
async function copied(stage: Stage): Promise<void> {
  await stage.tell(stage.said('completeFailover'));
  for (const { disk } of stage.status().disks)
    await stage.tell(stage.ended('transferDisk', proofOf(disk, disk === 'os' ? 20 : 10)));
  expect(stage.status().outage?.endedAt).toBeDefined();
}

test('R4 a run that copies everything inside its outage tells the bound before the stop, the copy as it was said, and the outage', async () => {
  const stage = await play('committed-during', 'transferDisk');
  const highBytes = stage.status().disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  await copied(stage);
  const keys = stage.status().record.map(({ key }) => key);
  expect(keys.indexOf('forecast/complete')).toBeLessThan(keys.indexOf('source-stopped'));
  expect(factsOf(stage, 'forecast/complete')).toEqual({
    ...{ lowBytes: 0, highBytes, lowSeconds: 7.2, withoutCopy: true, assumed: 'stop, seal, start' },
  });
  const disks = stage.status().disks.length;
  expect(factsOf(stage, 'forecast/copy')).toMatchObject({
    saidBytes: disks * 1_000,
    copiedBytes: disks * 1_000,
    saidSeconds: 20,
  });
  const outage = factsOf(stage, 'forecast/outage');
  expect(outage).toMatchObject({ movedBytes: disks * 1_000, outageSeconds: expect.any(Number) });
  expect(outage).not.toHaveProperty('errorPercent');
});

test('R4 with the rate of the last run the whole outage is foretold, and what became of it is told in percent', async () => {
  const measured = { stopMs: 1_000, sealMs: 1_000, startMs: 1_000, bytesPerSecond: 1024 ** 2 };
  const stage = await playFrom('committed-during', { measured }, 'transferDisk');
  const seconds = stage.status().disks.reduce((sum, disk) => sum + disk.sizeBytes, 0) / 1024 ** 2;
  await copied(stage);
  expect(factsOf(stage, 'forecast/complete')).toMatchObject({ outageSeconds: 3 + 2 + seconds, assumed: 'nothing' });
  expect(factsOf(stage, 'forecast/outage')).toMatchObject({
    ...{ errorPercent: expect.any(Number), bytesWithinBand: true, outageWithinBand: expect.any(Boolean) },
  });
});
