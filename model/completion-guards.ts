/**
 * Whether a machine is ready to have its failover completed: it has a recovery point, its replication home is finished and
 * well. The same guards are shown before a person says *complete* and held before the source is stopped.
 * Rule: they go by what was proven, never by what is hoped; `during`, which copies inside the cutover, has nothing to prove yet.
 */
import type { Check } from './check.ts';
import type { SyncFacts } from './machine.ts';
import type { RoundsStatus } from './status.ts';
import type { Trouble } from './transition.ts';

export interface Replication {
  readonly machine: string;
  readonly sync: SyncFacts['sync'];
  readonly rounds?: Pick<RoundsStatus, 'done' | 'recent' | 'scrubs' | 'convergence'> | undefined;
  /** What the run waits for a person about. */
  readonly trouble?: Pick<Trouble, 'op' | 'message'> | undefined;
}

export function completionGuards(replication: Replication): Check[] {
  return [recoveryPoint(replication), finished(replication), healthy(replication)];
}

const fromCutover = 'everything is copied inside the cutover, from a point that is taken after the stop (sync: during)';

function recoveryPoint({ machine, sync, rounds }: Replication): Check {
  const about = { id: 'recovery-point', requirement: 'S001-17', subject: machine };
  const last = rounds?.recent.at(-1);
  if (last) return { ...about, verdict: 'pass', seen: `round ${last.number} is proven, as of ${last.takenAt}` };
  if (sync === 'during') return { ...about, verdict: 'pass', seen: fromCutover };
  return {
    ...about,
    verdict: 'refuse',
    seen: 'no recovery point of it is proven at home yet',
    remedy: 'Wait for the end of the first round; a completion that is sent before it is kept until then.',
  };
}

function finished({ machine, sync, rounds }: Replication): Check {
  const about = { id: 'replication-finished', requirement: 'S000-17', subject: machine };
  if (sync === 'during') return { ...about, verdict: 'pass', seen: fromCutover };
  const done = rounds?.done ?? 0;
  if (done > 0)
    return {
      ...about,
      verdict: 'pass',
      seen: `every disk is home, ${done === 1 ? '1 round' : `${done} rounds`} proven`,
    };
  return {
    ...about,
    verdict: 'refuse',
    seen: 'it is not replicated to its home yet: the first copy of its disks is not proven',
    remedy: 'Wait for the end of the first round; the status shows how far it is.',
  };
}

function healthy({ machine, rounds, trouble }: Replication): Check {
  const about = { id: 'replication-healthy', requirement: 'S001-4', subject: machine };
  if (trouble)
    return {
      ...about,
      verdict: 'refuse',
      seen: `the run waits for a person: ${trouble.op}: ${trouble.message}`,
      remedy: 'Mend the cause and resolve with retry first; the status says what to do.',
    };
  const damaged = (rounds?.scrubs ?? []).filter(({ damage }) => damage !== undefined).map(({ disk }) => disk);
  if (damaged.length > 0)
    return {
      ...about,
      verdict: 'refuse',
      seen: `what was proven at home is damaged on ${damaged.join(', ')}`,
      remedy: 'Wait for the next round: it copies the disk in full again, outside the outage.',
    };
  if (rounds?.convergence?.converges === false)
    return {
      ...about,
      verdict: 'warn',
      seen: 'changes come faster than the link, so the last copy, and the outage, grow with every minute',
      remedy: 'Raise or lift the limit, quieten the machine, or complete at the cost that is shown.',
    };
  return { ...about, verdict: 'pass', seen: 'no damage is known, and nobody is waited for' };
}
