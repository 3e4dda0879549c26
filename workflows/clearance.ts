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
import { assertClear, assertNothingRefuses, type Journey, ofTarget, type Way } from './departure.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askWholeWay, type Silences } from './whole-way.ts';

const checkBefore = 'check-before-cutover';

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
    op: moved ? movedDiskCheck : checkBefore,
    subject: journey.input.machine,
    after: 'Then resolve with retry; the source was not stopped and goes on serving.',
  });
  teller.record('checked-again', 'both sides say that the way is still clear before the source is stopped', {
    checks: answer.checks.length,
  });
}

/**
 * A part of the step that stops the source, where nothing was opened yet: home alone, because the scripts in the source, or a
 * person, may have taken their time since the rest was asked. With the mover that is to have the disks: one that is being left
 * is not looked at any more.
 */
export async function checkHomeBeforeStop(journey: Journey, way: Way): Promise<void> {
  const { input, teller } = journey;
  const before = teller.findings.checks;
  const { checks } = await askUntilNothingIsAwaited(journey, () => {
    const mover = teller.story.reassignment?.mover ?? input.mover;
    return controlVerbs(input).observeHomeAgain.executeWithOptions(
      summary(`Is home still clear right before ${input.source.path} stops?`),
      [{ ...ofTarget(journey, way), failback: { ...input, mover }, found: way.found }],
    );
  });
  const known = before.filter(({ id }) => !checks.some((one) => one.id === id));
  teller.find({ checks: [...known, ...checks] });
  const after = 'Then resolve with retry: home is looked at again, and the source is stopped only behind that.';
  assertNothingRefuses(checks, { op: checkBefore, subject: input.machine, after });
}
