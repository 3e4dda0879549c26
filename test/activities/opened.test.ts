/** Which finding at home a run is told of between two rounds, when there are several. */
import { asyncLocalStorage } from '@temporalio/activity';
import { createOpenedActivities, type HomeSeen } from '../../activities/opened.ts';
import type { Check } from '../../model/check.ts';
import { transient } from '../../model/failure.ts';

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

const look = (observeOpened: () => Promise<Check[]>, needed = false): Promise<HomeSeen> => {
  const sites = { target: () => ({ observeOpened }) } as never;
  const asked = { ...input, run: 'r', pairs: [], open: [], needed } as never;
  return inside(() => createOpenedActivities(sites).observeHomeStays(asked));
};

async function toldOf(...ids: string[]): Promise<string> {
  const looking = look(async () => ids.map(refusal));
  const error = await looking.catch((thrown: unknown) => thrown);
  return (error as { details?: { op: string }[] }).details?.[0]?.op ?? String(error);
}

test('S9 an open disk that moved is told as that, whatever else changed at home, so that it is copied in full', async () => {
  expect(await toldOf('mover-no-snapshots', 'open-disks-stay')).toBe('open-disks-stay');
  expect(await toldOf('mover-no-snapshots', 'target-powered-off')).toBe('mover-no-snapshots');
});

test('S000-28 a home that cannot be looked at is told between two rounds, and asked again before the source is stopped', async () => {
  const away = async (): Promise<never> => {
    throw transient({ op: 'look', subject: 's', message: 'the vCenter is away', hint: 'h' });
  };
  expect(await look(away)).toEqual({ unseen: 'the vCenter is away' });
  await expect(look(away, true)).rejects.toMatchObject({ type: 'Transient', nonRetryable: false });
});
