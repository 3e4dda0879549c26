/**
 * Who may commit, and what is told of a target that went live.
 * Rule (S7): where the policy wants two people, nobody does both; what nobody has counted is said to be uncounted (S5).
 */

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

/** Neither world tells how much a machine has written without a snapshot to compare with. */
export const wentLive = ({ liveSince }: { readonly liveSince?: string }): string =>
  liveSince === undefined
    ? 'the target went live: what was written there since would be lost'
    : `the target went live at ${liveSince}: what was written there since would be lost, and how much that is nobody has counted`;

/** Kept of a target that went live and was stopped again on a way back that accepted the loss. */
export interface Lost {
  /** Since when what was written at home is dropped, ISO 8601. */
  readonly lostSince?: string;
}

interface Risked extends Lost {
  readonly liveSince?: string;
  readonly cancellation?: { readonly by: string; readonly acceptLoss: boolean };
}

/** S5: what stopping the target drops for good, so that the end can tell it. */
export const lostBy = ({ liveSince, cancellation }: Risked): Lost =>
  cancellation?.acceptLoss && liveSince !== undefined ? { lostSince: liveSince } : {};

/** Who accepted what loss; undefined while nothing is lost. */
export const lossOf = ({ lostSince, cancellation }: Risked): { since: string; acceptedBy: string } | undefined =>
  lostSince === undefined || !cancellation ? undefined : { since: lostSince, acceptedBy: cancellation.by };
