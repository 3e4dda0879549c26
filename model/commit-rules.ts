/**
 * Who may commit, and what is told of a target that went live.
 * Rule (S7): where the policy wants two people, nobody does both; what nobody has counted is said to be uncounted (S5).
 */
import { bothTimes, countIn, type WriteCount, writtenText } from './written.ts';

/** What the policy wants of whoever commits. */
export interface CommitRules {
  readonly needsEvidence?: boolean;
  readonly people?: 1 | 2;
}

/** Names are typed by people; one who writes himself in another way is still the same. */
const samePerson = (one: string, other: string): boolean => one.trim().toLowerCase() === other.trim().toLowerCase();

/** Why this person may not commit; undefined when nothing is in the way. */
export function objectionToCommitter(
  { commitNeedsTwo, completion, pointChanged }: Chosen & { readonly commitNeedsTwo?: true },
  by: string,
): string | undefined {
  if (!commitNeedsTwo) return undefined;
  const wants = (who: string, did: string): string =>
    `the policy wants two people: ${who} ${did}, so somebody else than ${who} must commit`;
  if (completion && samePerson(by, completion.by)) return wants(completion.by, 'completed the failover');
  if (pointChanged && samePerson(by, pointChanged.by)) return wants(pointChanged.by, 'changed the point');
  return undefined;
}

/** Who chose what is at home. */
interface Chosen {
  readonly completion?: { readonly by: string };
  readonly pointChanged?: { readonly by: string };
}

/** In words for whoever is asked to commit: by whom not; undefined where anybody may. */
export function notToCommit({ completion, pointChanged }: Chosen): string | undefined {
  const names = [completion?.by, pointChanged?.by].filter((by) => by !== undefined);
  return names.length === 0 ? undefined : [...new Set(names)].join(' or ');
}

/** S5: a person who would lose something reads since when, and how much as far as somebody counted. */
export function wentLive({ liveSince, startUnseen, ...count }: AtHome): string {
  const at = liveSince === undefined ? '' : ` at ${liveSince}`;
  return startUnseen
    ? `the target may have gone live${at}: its start was sent, and nobody has seen it run; what it wrote, if it did, would be lost; ${writtenText(count)}`
    : `the target went live${at}: what was written there since would be lost; ${writtenText(count)}`;
}

/** Before the moment it went live, or may have. */
export const atHomeWords = ({ startUnseen }: Pick<AtHome, 'startUnseen'>): string =>
  startUnseen ? 'May run at home (its start was sent, nobody has seen it run) since' : 'At home since';

/** What the story keeps of a target that went live, while it may run and after it was stopped again. */
export interface AtHome extends WriteCount {
  /** Since when it may run, ISO 8601; told to whoever would lose what was written since. */
  readonly liveSince?: string;
  /** Its start was sent, and it was not observed running since. */
  readonly startUnseen?: true;
  /** The same of all the times at home whose writes are dropped. */
  readonly lostUnseen?: true;
  /** Since when what was written at home is dropped, ISO 8601, by whoever accepted the loss. */
  readonly lostSince?: string;
  /** Until when, where it went live once more with another point. */
  readonly lostUntil?: string;
  readonly lostAcceptedBy?: readonly string[];
  /** How much that is. */
  readonly lost?: WriteCount;
}

interface Accepted {
  readonly by: string;
  readonly acceptLoss: boolean;
}

interface Risked extends AtHome {
  readonly cancellation?: Accepted;
  readonly pointChange?: Accepted;
}

/** Whoever has accepted the loss of what was written since the target went live; undefined while nobody has. */
export const lossAccepted = ({ cancellation, pointChange }: Risked): Accepted | undefined =>
  [cancellation, pointChange].find((one) => one?.acceptLoss);

/**
 * The story of a target that was stopped again, at `at` (ISO 8601). S5: what that drops for good is kept, so that the end can
 * tell it; of several times at home it is all of them together.
 */
export function stopped<S extends Risked>(story: S, at?: string): S {
  const { liveSince, startUnseen, written, uncounted, ...off } = story;
  const accepted = lossAccepted(story);
  if (!accepted || liveSince === undefined) return off as S;
  const { lostSince = liveSince, lostUntil: _before, lostUnseen, lostAcceptedBy = [], lost, ...rest } = off as S;
  const neverSeen = startUnseen && (lost === undefined || lostUnseen);
  const told: AtHome = {
    lostSince,
    ...(neverSeen ? { lostUnseen: true } : {}),
    lostAcceptedBy: [...new Set([...lostAcceptedBy, accepted.by])],
    lost: bothTimes(lost, countIn({ written, uncounted })),
    ...(story.cancellation || at === undefined ? {} : { lostUntil: at }),
  };
  return { ...rest, ...told } as S;
}

/** The story of a target whose only start is known never to have made it run: nothing was written there that could be lost (S5). */
export function markNeverStarted<S extends AtHome & { readonly targetLive: boolean }>(story: S): S {
  const { liveSince: _since, startUnseen: _no, written: _bytes, uncounted: _why, ...off } = story;
  return { ...off, targetLive: false } as S;
}

/** S5: what a stop of the target is told, where no start of the run can have made it run. */
export const neverStarted = ({ targetLive }: { readonly targetLive: boolean }): { readonly neverStarted?: true } =>
  targetLive ? {} : { neverStarted: true };

export interface Loss extends WriteCount {
  readonly since: string;
  /** Absent: until the end. */
  readonly until?: string;
  /** Its start was sent, but nobody saw it run: there may be nothing that was lost. */
  readonly unseen?: true;
  readonly acceptedBy: string;
}

/** Who accepted what loss; undefined while nothing is lost. */
export const lossOf = ({ lostSince, lostUntil, lostUnseen, lostAcceptedBy = [], lost }: AtHome): Loss | undefined =>
  lostSince === undefined
    ? undefined
    : {
        since: lostSince,
        ...(lostUntil === undefined ? {} : { until: lostUntil }),
        ...(lostUnseen ? { unseen: true } : {}),
        acceptedBy: lostAcceptedBy.join(', '),
        ...lost,
      };
