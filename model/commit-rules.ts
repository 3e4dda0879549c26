/**
 * Who may commit, and what is told of a target that went live.
 * Rule (S7): where the policy wants two people, nobody does both; what nobody has counted is said to be uncounted (S5).
 */
import { countIn, type WriteCount, writtenText } from './written.ts';

/** What the policy wants of whoever commits. */
export interface CommitRules {
  readonly needsEvidence?: boolean;
  readonly people?: 1 | 2;
}

/** Names are typed by people; one who writes himself in another way is still the same. */
const samePerson = (one: string, other: string): boolean => one.trim().toLowerCase() === other.trim().toLowerCase();

/** Why this person may not commit; undefined when nothing is in the way. */
export function objectionToCommitter(
  story: { readonly commitNeedsTwo?: true; readonly completion?: { readonly by: string } },
  by: string,
): string | undefined {
  const { commitNeedsTwo, completion } = story;
  if (!commitNeedsTwo || completion === undefined || !samePerson(by, completion.by)) return undefined;
  return `the policy wants two people: ${completion.by} completed the failover, so somebody else than ${completion.by} must commit`;
}

/** S5: a person who would lose something reads since when, and how much as far as somebody counted. */
export const wentLive = ({ liveSince, ...count }: AtHome): string =>
  `the target went live${liveSince === undefined ? '' : ` at ${liveSince}`}: what was written there since would be lost; ${writtenText(count)}`;

/** What the story keeps of a target that went live, while it may run and after it was stopped again. */
export interface AtHome extends WriteCount {
  /** Since when it may run, ISO 8601; told to whoever would lose what was written since. */
  readonly liveSince?: string;
  /** Since when what was written at home is dropped, ISO 8601, on a way back that accepted the loss. */
  readonly lostSince?: string;
  /** How much that is. */
  readonly lost?: WriteCount;
}

interface Risked extends AtHome {
  readonly cancellation?: { readonly by: string; readonly acceptLoss: boolean };
}

/** The story of a target that was stopped again. S5: what that drops for good is kept, so that the end can tell it. */
export function stopped<S extends Risked>(story: S): Omit<S, 'liveSince' | 'written' | 'uncounted'> {
  const { liveSince, written, uncounted, ...rest } = story;
  if (!story.cancellation?.acceptLoss || liveSince === undefined) return rest;
  return { ...rest, lostSince: liveSince, lost: countIn({ written, uncounted }) };
}

/** Who accepted what loss; undefined while nothing is lost. */
export const lossOf = ({ lostSince, lost, cancellation }: Risked): Loss | undefined =>
  lostSince === undefined || !cancellation ? undefined : { since: lostSince, acceptedBy: cancellation.by, ...lost };

export interface Loss extends WriteCount {
  readonly since: string;
  readonly acceptedBy: string;
}
