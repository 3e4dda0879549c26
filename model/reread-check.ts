/**
 * What the policy `reread` costs is told before the start, not found out in the outage. Pure.
 * Rule: it warns and never refuses: whoever wants every byte read once more inside the outage may have it.
 */
import type { Check } from './check.ts';
import type { FailbackInput } from './failback-input.ts';
import type { DiskPair } from './machine.ts';
import { rereadCost } from './scrub.ts';

type Reread = Pick<FailbackInput['policy'], 'reread' | 'sync' | 'scrubEverySeconds'>;

export interface Rereading {
  readonly policy: Reread;
  readonly target: Pick<FailbackInput['target'], 'path'>;
}

/** None where nothing is read again, or no disk is known. */
export function rereadCheck({ policy, target }: Rereading, pairs: readonly Pick<DiskPair, 'source'>[]): Check[] {
  if (!policy.reread || pairs.length === 0) return [];
  const { bytes, seconds } = rereadCost(pairs.reduce((sum, pair) => sum + pair.source.sizeBytes, 0));
  const size = `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  return [
    {
      id: 'reread-in-outage',
      verdict: 'warn',
      subject: target.path,
      seen: `the policy reads all ${size} of the target again while neither side serves: about ${seconds} s more of outage, at an assumed 400 MiB/s`,
      remedy:
        policy.sync === 'before' && policy.scrubEverySeconds > 0
          ? 'Leave reread off to save that time: the scrub reads everything again while the source serves.'
          : 'Leave reread off to save that time; every block is read back when it is written in any case.',
    },
  ];
}
