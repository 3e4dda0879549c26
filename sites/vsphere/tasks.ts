/**
 * Waits for vCenter tasks: ours, and those of others that stand in our way.
 * Rule: a wait only reads, so it survives a new session; its property collector is its own and is destroyed at the end.
 * Never cancels a task, never takes the absence of an error for success.
 */
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { failureOfFault, faultBehind } from './failure.ts';
import { localizedFault } from './fault.ts';
import { pause } from './pause.ts';
import { dropQuietly, readLinked, readObject } from './properties.ts';
import { type ReadableSession, required } from './session.ts';
import { isA, type Ref, type Vim } from './wire/shapes.ts';

/** Short enough that a heartbeat stays alive, long enough not to be polling. */
const turnSeconds = 15;

/** How a wait looks around meanwhile. */
export interface Turns {
  /** Asked between two turns: a machine may wait for an answer that no task reports. */
  readonly onTurn?: () => Promise<void>;
  readonly turnSeconds?: number;
}

export interface TaskWait extends Turns {
  /** What the task does, for people: `ReconfigVM_Task`. */
  readonly op: string;
  readonly subject: string;
  /** Told when the task itself has ended in this error, before that is thrown. */
  readonly onError?: (error: Failure) => void;
}

async function taskInfo(session: ReadableSession, task: Ref, work: Work): Promise<Vim<'TaskInfo'>> {
  const found = await readObject(session, task, ['info'], work, task.value);
  const info = found.values.get('info') as Vim<'TaskInfo'> | undefined;
  return isA(info, 'TaskInfo') ? info : {};
}

const ended = (info: Vim<'TaskInfo'>): boolean => info.state === 'success' || info.state === 'error';

/** Blocks until the task's state changes or the turn is over. A wake-up only; the truth is read afterwards. */
async function oneTurn(
  session: ReadableSession,
  collector: Ref,
  version: string,
  seconds: number,
  work: Work,
): Promise<string> {
  const options = { maxWaitSeconds: seconds };
  const hints = { timeoutMs: (seconds + 30) * 1000 };
  const update = await session.call('WaitForUpdatesEx', collector, { version, options }, work, hints);
  return update?.version ?? version;
}

async function waitOnce(session: ReadableSession, task: Ref, wait: TaskWait, work: Work): Promise<Vim<'TaskInfo'>> {
  const main = required((await session.content(work)).propertyCollector, 'property collector');
  const collector = await session.call('CreatePropertyCollector', main, {}, work);
  try {
    const spec = { propSet: [{ type: 'Task', pathSet: ['info.state'] }], objectSet: [{ obj: task }] };
    await session.call('CreateFilter', collector, { spec, partialUpdates: false }, work);
    for (let version = ''; ; ) {
      version = await oneTurn(session, collector, version, wait.turnSeconds ?? turnSeconds, work);
      const info = await taskInfo(session, task, work);
      if (ended(info)) return info;
      const progress = info.progress === undefined ? '' : ` ${info.progress} %`;
      work.report(`${wait.op} on ${wait.subject}: ${info.state ?? 'unknown'}${progress}`);
      await wait.onTurn?.();
    }
  } finally {
    if (!work.signal.aborted) await dropQuietly(session.call('DestroyPropertyCollector', collector, {}, work));
  }
}

/**
 * Waits until the task has ended; throws the task's own fault as a Failure.
 * @returns the task's last info; its state is `success`.
 */
export async function waitForTask(
  session: ReadableSession,
  task: Ref,
  wait: TaskWait,
  work: Work,
): Promise<Vim<'TaskInfo'>> {
  const info = (await endedSoon(session, task, work)) ?? (await untilEnded(session, task, wait, work));
  if (info.state === 'success') return info;
  const fault = info.error ? localizedFault(info.error) : { type: 'Unknown', text: 'the task failed without a reason' };
  const failure = failureOfFault(fault, wait.op, wait.subject);
  wait.onError?.(failure);
  throw failure;
}

/** Most changes take less than it costs to set up a wait, so a few quick looks come first. */
async function endedSoon(session: ReadableSession, task: Ref, work: Work): Promise<Vim<'TaskInfo'> | undefined> {
  for (const ms of [0, 20, 50, 100]) {
    if (ms > 0) await pause(ms, work.signal);
    const info = await taskInfo(session, task, work);
    if (ended(info)) return info;
  }
  return undefined;
}

async function untilEnded(session: ReadableSession, task: Ref, wait: TaskWait, work: Work): Promise<Vim<'TaskInfo'>> {
  for (let losses = 0; ; losses++) {
    try {
      return await waitOnce(session, task, wait, work);
    } catch (error) {
      // The session (and with it the collector) or one answer was lost: the task runs on, so the wait begins anew.
      const lost =
        error instanceof Failure && (error.kind === 'Expired' || (error.kind === 'Transient' && !faultBehind(error)));
      if (!lost || losses === 3) throw error;
      await pause(200 * (losses + 1), work.signal);
    }
  }
}

/** Waits for whatever runs on the object now, whoever started it: our own lost call, or a backup. Their outcome is not ours to judge. */
export async function settle(
  session: ReadableSession,
  entity: Ref,
  subject: string,
  work: Work,
  turns: Turns = {},
): Promise<void> {
  for (const { ref, values } of await readLinked(session, entity, 'recentTask', 'Task', ['info.state'], work)) {
    const state = values.get('info.state');
    if (state === 'running' || state === 'queued') await waitForOther(session, ref, subject, work, turns);
  }
}

/** Waits for a task that is not ours; its failure is its owner's business. */
export async function waitForOther(
  session: ReadableSession,
  task: Ref,
  subject: string,
  work: Work,
  turns: Turns = {},
): Promise<void> {
  try {
    const info = await taskInfo(session, task, work);
    if (ended(info)) return;
    work.report(`waiting for ${info.descriptionId ?? 'another task'} on ${subject}`);
    await waitForTask(session, task, { op: info.descriptionId ?? 'another task', subject, ...turns }, work);
  } catch (error) {
    // Gone from the task list or failed: either way it runs no more, and the caller looks at the object itself.
    if (faultBehind(error) === undefined) throw error;
  }
}
