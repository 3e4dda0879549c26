/** What a step that failed may say of itself: whether it is certain that nothing was changed. */
import { activity, type ReportingWork } from '../../activities/attempt.ts';
import { toTemporal } from '../../activities/failure.ts';
import { createPowerActivities } from '../../activities/power.ts';
import type { Sites } from '../../activities/preflight.ts';
import { tellingUntouched } from '../../activities/untouched.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { refused, transient } from '../../model/failure.ts';
import type { Work } from '../../sites/source.ts';
import type { TargetStart } from '../../sites/target.ts';
import { wasUntouched } from '../../workflows/trouble.ts';
import { inActivity } from './in-activity.ts';

const { signal } = new AbortController();
const first: ReportingWork = {
  ...{ attempt: 1, again: false, order: 1, earlier: undefined, signal },
  report: () => undefined,
  mayChange: () => undefined,
  beat: () => undefined,
  note: () => undefined,
  assure: async () => undefined,
};
const notFound = refused({ op: 'FindByInventoryPath', subject: 's', message: 'no machine stands there', hint: 'h' });

/** Whether the story is told so. */
async function untouched(
  act: (work: ReportingWork) => void,
  { failure = notFound as Error, ...work }: Partial<ReportingWork> & { readonly failure?: Error } = {},
): Promise<boolean> {
  const failing = tellingUntouched({ ...first, ...work }, async (watched) => {
    act(watched);
    throw failure;
  });
  const error = await failing.catch((thrown: unknown) => toTemporal(thrown, 'ensureDisksReturned', signal, false));
  expect(error).toMatchObject({ message: expect.stringContaining(failure.message) });
  return wasUntouched(error);
}

const looks = (): void => undefined;
const changes = ({ mayChange }: ReportingWork): void => mayChange();

test('S1 L6 a failure of the first attempt before its first change tells that nothing was changed; one after it does not', async () => {
  expect(await untouched(looks)).toBe(true);
  const away = transient({ op: 'look', subject: 's', message: 'the vCenter is away', hint: 'h', retryAfterMs: 5 });
  expect(await untouched(looks, { failure: away })).toBe(true);
  expect(await untouched(changes)).toBe(false);
  expect(await untouched(looks, { failure: new Error('a fault of ours') })).toBe(false);
  // Refused at the last moment is refused before it left; but nobody has to know that.
  const late = (): never => {
    throw notFound;
  };
  expect(await untouched((work) => changes(work), { mayChange: late })).toBe(false);
});

test('S5 a failure behind calls that were each answered with a no tells that nothing was changed; one that was not answered so is enough', async () => {
  const refusedAtOnce = (work: ReportingWork): void => {
    changes(work);
    work.changedNothing?.();
  };
  expect(await untouched(refusedAtOnce)).toBe(true);
  const once = (work: ReportingWork): void => {
    refusedAtOnce(work);
    changes(work);
  };
  expect(await untouched(once)).toBe(false);
  expect(await untouched(refusedAtOnce, { attempt: 2 })).toBe(false);
});

test('S5 a stop of the source that was refused before it began says so', async () => {
  const ensureStopped = async (_request: unknown, work: ReportingWork): Promise<never> => {
    changes(work);
    work.changedNothing?.();
    throw notFound;
  };
  const { ensureSourceStopped } = createPowerActivities({ source: () => ({ ensureStopped }) } as unknown as Sites);
  const failback = { source: { site: 'azure', path: 'rg/one' } } as FailbackInput;
  const error = await inActivity(() => ensureSourceStopped({ failback, identity: 'one' })).catch(
    (thrown: unknown) => thrown,
  );
  expect(wasUntouched(error)).toBe(true);
});

test('S5 a start at home that was refused before it began says so', async () => {
  const ensureStarted = async ({ otherSideOff }: TargetStart, work: Work): Promise<never> => {
    await otherSideOff();
    work.mayChange();
    work.changedNothing?.();
    throw notFound;
  };
  const point = { number: 2, takenAt: '', consistency: 'application', final: true, disks: [] } as const;
  const sourceStoppedSince = '2026-01-01T00:00:00.000Z';
  const observeMachine = async () => ({ power: 'stopped', stoppedSince: sourceStoppedSince });
  const sites = { source: () => ({ observeMachine }), target: () => ({ ensureStarted }) } as unknown as Sites;
  const { ensureTargetStarted } = createPowerActivities(sites);
  const failback = {
    source: { site: 'azure', path: 'rg/one' },
    target: { site: 'home', path: '/one' },
  } as FailbackInput;
  const error = await inActivity(() =>
    ensureTargetStarted({ failback, run: 'r', final: { ...point, sourceStoppedSince } }),
  ).catch((thrown: unknown) => thrown);
  expect(wasUntouched(error)).toBe(true);
});

test('S1 an attempt that another one went before never tells that nothing was changed, also where Temporal counts anew', async () => {
  expect(await untouched(looks, { attempt: 2 })).toBe(false);
  expect(await untouched(looks, { earlier: { now: 'ensureDisksReturned' } })).toBe(false);
  expect(await untouched(looks, { again: true })).toBe(false);
});

test('S1 an attempt is known to be no first one by when it was handed out, where a reset has taken its number and all that was reported', async () => {
  const told = async (handedOutMs: number): Promise<boolean> => {
    const scheduled = { scheduledTimestampMs: 1_000, currentAttemptScheduledTimestampMs: handedOutMs };
    const step = activity('ensureDisksReturned', (_: object, work) => untouchedIn(work));
    const error = await inActivity(() => step({}), undefined, { attempt: 1, ...scheduled }).catch(
      (thrown: unknown) => thrown,
    );
    return wasUntouched(error);
  };
  expect(await told(1_000)).toBe(true);
  expect(await told(9_000)).toBe(false);
});

const untouchedIn = (work: ReportingWork): Promise<never> =>
  tellingUntouched(work, async () => {
    throw notFound;
  });

test('L6 what is asked to wait is asked still when it tells that nothing was changed', () => {
  const busy = transient({ op: 'look', subject: 's', message: 'm', hint: 'h', retryAfterMs: 5, busy: true });
  expect(busy.asUntouched()).toMatchObject({ kind: 'Transient', retryAfterMs: 5, busy: true, hint: 'h', op: 'look' });
});
