/** The room on the mover is asked for again before the source is stopped. */
import { play } from './stage.ts';

test('S000-2 a state folder that has no room any more is found before the source is stopped, and the run goes on once it has', async () => {
  const stage = await play('committed-before');
  const seen = (freeBytes: number) => ({
    ...{ version: '0.1.0', platform: 'linux', now: new Date().toISOString(), endpoints: [], mounts: [] },
    state: { folder: '/var/lib/m1', freeBytes, heldBytes: 0 },
  });
  stage.mine('observeMoverWorker', 'observeStop');
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended('observeMoverWorker', seen(0)));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', serves: 'source' });
  expect(stage.status().trouble?.message).toMatch(/^mover-room: its state folder \/var\/lib\/m1 has 0 B free/);
  expect(stage.status().trouble?.hint).toMatch(/Free space on mover \S+ in the file system of \/var\/lib\/m1/);
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended('observeMoverWorker', seen(2 ** 40)));
  expect(stage.status().phase).not.toBe('NeedsOperator');
});
