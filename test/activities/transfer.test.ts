/** What a mover refuses to begin at all. */
import { createMoverActivities, type TransferInput } from '../../activities/transfer.ts';
import { Turns } from '../../activities/turns.ts';
import { inActivity } from './in-activity.ts';

const point = { disk: 'os', id: '/s/1', identity: '1', sizeBytes: 1024 };
const input: TransferInput = {
  machine: 'm',
  run: 'r',
  sourceSite: 'azure',
  disk: { disk: 'os', sizeBytes: 1024, path: '/x', uuid: 'u' } as never,
  point,
  around: { since: point, until: point },
  urgent: true,
};

test('S9 a transfer of what changed around its point is refused when nobody says what the disk holds, before anything is looked at', async () => {
  // A mover that has nothing to look with.
  const { transferDisk } = createMoverActivities({ turns: new Turns(1) } as never);
  const error = await inActivity(() => transferDisk(input)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'Defect', message: expect.stringContaining('around its point and no base') });
});
