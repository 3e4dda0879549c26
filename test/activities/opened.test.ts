/** Which finding at home a run is told of between two rounds, when there are several. */
import { asyncLocalStorage } from '@temporalio/activity';
import { createOpenedActivities } from '../../activities/opened.ts';
import type { Check } from '../../model/check.ts';

const inside = <T>(act: () => Promise<T>): Promise<T> =>
  asyncLocalStorage.run(
    {
      cancellationSignal: new AbortController().signal,
      info: { heartbeatTimeoutMs: 30_000, attempt: 1 },
      heartbeat: () => undefined,
    } as never,
    act,
  );
const refusal = (id: string): Check => ({ id, verdict: 'refuse', subject: 's', seen: id, remedy: 'r' });
const input = {
  failback: {
    machine: 'm',
    target: { site: 'v', path: '/DC0/vm/m' },
    mover: { name: 'x', path: '/x' },
    policy: { write: 'in-place' },
  },
};

async function toldOf(...ids: string[]): Promise<string> {
  const sites = { target: () => ({ observeOpened: async () => ids.map(refusal) }) } as never;
  const looking = inside(() =>
    createOpenedActivities(sites).observeHomeStays({ ...input, run: 'r', pairs: [], open: [] } as never),
  );
  const error = await looking.catch((thrown: unknown) => thrown);
  return (error as { details?: { op: string }[] }).details?.[0]?.op ?? String(error);
}

test('S9 an open disk that moved is told as that, whatever else changed at home, so that it is copied in full', async () => {
  expect(await toldOf('mover-no-snapshots', 'open-disks-stay')).toBe('open-disks-stay');
  expect(await toldOf('mover-no-snapshots', 'target-powered-off')).toBe('mover-no-snapshots');
});
