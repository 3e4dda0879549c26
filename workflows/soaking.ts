/**
 * While the machine waits for its commit: its probes are looked at again and again, where the policy binds something to them.
 * Rule (L4, S7): a commit that was approved beforehand follows only after all probes held without a break for the whole time,
 * goes through the law like anybody's, and in the name of whoever approved it; a probe that fails ends the approval. Any
 * interruption (a hold, a call for an operator) begins the time anew.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { nothingArrived, type SoakFact } from '../model/arrival.ts';
import type { Journey } from './departure.ts';
import { noteProbes, rollBack, showProbes } from './probing.ts';
import { inPieces, type Looked, type Piece, soaks } from './soak-pieces.ts';
import { summary, watchingVerbs } from './verbs.ts';

/** The approval as the policy has it, written into the record when the run begins (S12). */
export function recordApproval({ input, teller }: Journey): void {
  const { approved, rollback, people } = input.policy.commit;
  const probes = input.policy.probes.map(({ name }) => name).join(', ');
  if (approved)
    teller.record('commit-approved-beforehand', `${approved.by} approved the commit, if all probes hold`, {
      ...{ by: approved.by, soakSeconds: approved.soakSeconds, probes, people },
    });
  if (rollback)
    teller.record('loss-accepted-beforehand', `${rollback.lossAcceptedBy} accepted the loss, if a probe fails`, {
      ...{ by: rollback.lossAcceptedBy, probes },
    });
}

/** Begins beside the gate; answers how to end it. */
export function beginSoak(journey: Journey): () => void {
  const scope = new CancellationScope();
  // A probe that failed has ended the approval for good, also for another point.
  const ended = journey.teller.findings.arrival?.soak?.state === 'off';
  if (ended || !soaks(journey.input.policy)) return () => undefined;
  const soaking = scope.run(() => soak(journey));
  soaking.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return () => scope.cancel();
}

async function soak(journey: Journey): Promise<void> {
  const { teller } = journey;
  const { approved } = journey.input.policy.commit;
  const over = (): boolean => teller.story.commitment !== undefined || teller.story.cancellation !== undefined;
  const quiet = (): boolean => teller.story.phase === 'AwaitingCommit' && teller.story.held === undefined;
  while (!over()) {
    await condition(() => quiet() || over());
    if (over()) return;
    const since = new Date().toISOString();
    const ended = await inPieces(approved?.soakSeconds ?? Number.POSITIVE_INFINITY, (piece) => {
      // Told anew with each piece: time in which nobody could look does not count, so the end moves.
      const until = approved && new Date(Date.now() + piece.leftSeconds * 1000).toISOString();
      show(journey, { since, ...(until ? { until, approvedBy: approved.by } : {}), state: 'holds' });
      return lookWhile(journey, piece, () => quiet() && !over());
    });
    if (ended === 'interrupted') continue;
    if (ended === 'failed' || !approved) return;
    // S7: heard like anybody's; what the law refuses (one person where the policy wants two) waits for a person.
    const heard = teller.hear('commit', {
      by: approved.by,
      note: `approved beforehand in the policy; all probes held for ${approved.soakSeconds} s`,
      ...(teller.story.evidence === undefined ? {} : { evidence: teller.story.evidence }),
    });
    if (!heard.accepted) end(journey, heard.reason ?? 'it was refused');
    return;
  }
}

async function lookWhile(journey: Journey, { seconds, leftSeconds }: Piece, wanted: () => boolean): Promise<Looked> {
  const { input, run } = journey;
  try {
    const { holds, probes } = await CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      condition(() => !wanted())
        .then(() => scope.cancel())
        .catch(() => undefined);
      const seen = await watchingVerbs(input).observeProbesHold.executeWithOptions(
        summary(`Do the probes of ${input.target.path} hold?`),
        [{ failback: input, run, probes: input.policy.probes, seconds }],
      );
      scope.cancel();
      return seen;
    });
    // A piece that held is no effect; the record tells how all of it ended, and does not grow with the time it takes.
    if (holds && seconds < leftSeconds) showProbes(journey, probes);
    else noteProbes(journey, probes, 'soak');
    if (holds) return 'held';
    const failed = probes.filter(({ passed }) => !passed);
    end(journey, failed.map(({ name, seen }) => `probe ${name} failed: ${seen}`).join('; '));
    rollBack(journey, failed);
    return 'failed';
  } catch (error) {
    if (isCancellation(error) && !wanted()) return 'interrupted';
    if (isCancellation(error)) throw error;
    // Whoever cannot look has not seen them hold (L4).
    end(journey, 'the probes could not be looked at');
    return 'failed';
  }
}

function end(journey: Journey, why: string): void {
  const { teller } = journey;
  const now = teller.findings.arrival?.soak;
  if (!now) return;
  show(journey, { ...now, state: 'off' });
  if (now.approvedBy !== undefined)
    teller.record('approval-ended', 'what was approved beforehand counts no more: a person decides', {
      approvedBy: now.approvedBy,
      why,
    });
}

const show = ({ teller }: Journey, soakFact: SoakFact): void =>
  teller.find({ arrival: { ...(teller.findings.arrival ?? nothingArrived), soak: soakFact } });
