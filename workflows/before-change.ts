/**
 * The look before another point is taken home, while the machine that arrived still runs.
 * Rule (S5): what would stop the change once the machine is off refuses it before; the machine goes on serving then, and the
 * change counts as refused, with the reason.
 */
import { isCancellation } from '@temporalio/workflow';
import type { ChangeLook } from '../activities/movers.ts';
import { blocking } from '../model/check.ts';
import { whyNot } from './reassigning.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askMover, judgeMover } from './whole-way.ts';

/** Why the disks could not be taken to the other point, or not be started from it; undefined when they could. Throws only when cancelled. */
export async function lookAtReopening(input: ChangeLook): Promise<string | undefined> {
  const { failback, pairs } = input;
  const sizesBytes = pairs.map(({ source }) => source.sizeBytes);
  const { name } = failback.mover;
  try {
    const { checks, version, os } = await controlVerbs(failback).observeReopening.executeWithOptions(
      summary(`Can another point of ${failback.machine} be taken home by ${name}?`),
      [input],
    );
    if (checks.length > 0) return whyNot(checks);
    // Its disks come into use only where a worker takes them.
    return whyNot(blocking(judgeMover(failback, await askMover(failback), { version, os, sizesBytes })));
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `whether the disks can be taken to another point could not be looked at: ${troubleOf(error, '').message}`;
  }
}
