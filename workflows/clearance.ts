/**
 * The checks again, after a person completed the failover and before the source is stopped.
 * Rule: what would go wrong in the outage is found before it: while the source still serves, an operator mends it and the
 * same run goes on. Only what is known to matter at the start alone is not asked again (model/check.ts).
 */
import type { PreflightAnswer } from '../activities/preflight.ts';
import { blocking } from '../model/check.ts';
import type { OpenDisk } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import { askUntilNothingIsAwaited } from './awaiting.ts';
import { assertClear, type Journey, ofTarget, type Way } from './departure.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askWholeWay, type Silences } from './whole-way.ts';

/** A part of a step: throws when something refuses. `open`: absent when nothing was opened yet. */
export async function checkBeforeCutover(journey: Journey, way: Way, open?: readonly OpenDisk[]): Promise<void> {
  const { teller } = journey;
  const silences: Silences = new Map();
  const answer = await askUntilNothingIsAwaited(journey, () => {
    const { input } = journey;
    const askSides = (): Promise<PreflightAnswer> =>
      controlVerbs(input).observeWayAgain.executeWithOptions(
        summary(`Is the way still clear before ${input.source.path} stops?`),
        [{ ...ofTarget(journey, way), ...(open ? { open } : {}) }],
      );
    // The source serves meanwhile, so a mover that is only restarted is worth a wait; one that is being left is not.
    return askWholeWay(input, askSides, teller.story.reassignment ? undefined : silences);
  });
  teller.find({ checks: answer.checks });
  const moved = blocking(answer.checks).some(({ id }) => id === movedDiskCheck);
  assertClear(answer, {
    op: moved ? movedDiskCheck : 'check-before-cutover',
    subject: journey.input.machine,
    after: 'Then resolve with retry; the source was not stopped and goes on serving.',
  });
  teller.record('checked-again', 'both sides say that the way is still clear before the source is stopped', {
    checks: answer.checks.length,
  });
}
