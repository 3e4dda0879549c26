/**
 * What a policy has agreed beforehand and will do without asking again, in words: at the start, before a person completes, in
 * the status. Rule (S2, L4): whatever deletes, drops or follows by itself is told first and with its name, never found out
 * afterwards. Pure.
 */
import type { Policy } from './inventory.ts';

/** The parts of a policy that act by themselves; scripts and probes by their names alone. */
export interface Agreed {
  readonly commit: Policy['commit'];
  readonly prove: Policy['prove'];
  readonly beforeStop: readonly string[];
  readonly afterStart: readonly string[];
  readonly probes: readonly string[];
  readonly keepFinalSnapshotsDays: number;
  readonly gateExpiresSeconds: number;
}

const names = (steps: readonly { readonly name: string }[]): string[] => steps.map(({ name }) => name);

export const agreedIn = (policy: Policy): Agreed => ({
  commit: policy.commit,
  prove: policy.prove,
  beforeStop: names(policy.beforeStop),
  afterStart: names(policy.afterStart),
  probes: names(policy.probes),
  keepFinalSnapshotsDays: policy.keepFinalSnapshotsDays,
  gateExpiresSeconds: policy.gateExpiresSeconds,
});

export interface AgreedWords {
  readonly title:
    | 'commit'
    | 'rollback'
    | 'people'
    | 'beforeStop'
    | 'afterStart'
    | 'prove'
    | 'probes'
    | 'kept'
    | 'expires';
  readonly text: string;
}

const failing = 'a critical one that fails calls an operator';

/** Only what the policy has; the commit that follows by itself comes first. */
export function agreedWords(agreed: Agreed): AgreedWords[] {
  const { commit, prove, beforeStop, afterStart, probes, keepFinalSnapshotsDays: days, gateExpiresSeconds } = agreed;
  const { approved, rollback, people } = commit;
  const words: [AgreedWords['title'], string | false][] = [
    [
      'commit',
      approved !== undefined &&
        `the commit follows by itself ${approved.soakSeconds} s after all probes hold, approved by ${approved.by}: Azure's machine and its disks are deleted then`,
    ],
    [
      'rollback',
      rollback !== undefined &&
        `a probe that fails, or a guest that does not answer, takes the run back by itself; what was written at home is lost then, accepted by ${rollback.lossAcceptedBy}`,
    ],
    ['people', people === 2 && 'two: somebody else than the one who completes must commit'],
    [
      'beforeStop',
      listed(beforeStop) && `scripts in the source before it is stopped: ${listed(beforeStop)}; ${failing}`,
    ],
    ['prove', prove === 'isolated' && 'isolated: inside the outage it boots once on a network that leads nowhere'],
    ['afterStart', listed(afterStart) && `scripts at home after the start: ${listed(afterStart)}; ${failing}`],
    ['probes', listed(probes) && `must pass at home: ${listed(probes)}`],
    [
      'kept',
      days > 0 &&
        `the final snapshots stay ${days} ${days === 1 ? 'day' : 'days'} after the commit, then they are deleted`,
    ],
    [
      'expires',
      gateExpiresSeconds > 0 &&
        `when nobody completes within ${gateExpiresSeconds} s of its waiting, the run is taken back and the source goes on serving`,
    ],
  ];
  return words.flatMap(([title, text]) => (text === false || text === '' ? [] : [{ title, text }]));
}

const listed = (some: readonly string[]): string => some.join(', ');
