/**
 * A machine goes to another mover while it is under way: the look before such a message is heard, and the leaving of the
 * mover that has it.
 * Rule (S8): the mover that is to have it is asked, its worker too, before the disks leave the other one. A mover that lives is
 * given time to let go of the disks; one that does not answer is not waited for. What keeps either from writing later is
 * that its leave to write is over by then (model/lease.ts), that its disks are unplugged, and the marker on them.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import { blocking, type Check } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { partingMs } from '../model/lease.ts';
import type { DiskPair } from '../model/machine.ts';
import type { Message } from '../model/message.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askMover, judgeMover } from './whole-way.ts';

/** Why the mover that a message names cannot carry the machine; undefined when it can. Never throws. */
export async function lookAtMover(
  { input: failback, run }: { readonly input: FailbackInput; readonly run: string },
  pairs: readonly DiskPair[],
  { mover: name = '', path = '' }: Message,
): Promise<string | undefined> {
  const mover = { name, path };
  const sizesBytes = pairs.map((pair) => pair.source.sizeBytes);
  try {
    return await CancellationScope.nonCancellable(async () => {
      const { checks, version, os } = await controlVerbs(failback).observeMover.executeWithOptions(
        summary(`Can ${name} carry ${failback.machine}?`),
        [{ failback, run, mover, sizesBytes }],
      );
      if (checks.length > 0) return whyNot(checks);
      // Only now: a name that nobody knows has no worker that could be asked.
      const asked = { ...failback, mover };
      return whyNot(blocking(judgeMover(asked, await askMover(asked), { version, os, sizesBytes })));
    });
  } catch (error) {
    return `${name} could not be looked at: ${troubleOf(error, '').message}`;
  }
}

/** The first of what is missing with its remedy, and the others by name; undefined when nothing is. */
export function whyNot([first, ...others]: readonly Check[]): string | undefined {
  if (!first) return undefined;
  const more = others.length === 0 ? '' : ` (also: ${others.map(({ id, seen }) => `${id}: ${seen}`).join('; ')})`;
  return `${first.id}: ${first.seen}${more}. ${first.remedy ?? ''}`.trim();
}

/**
 * Runs `act` in `scope` until the mover is to be left: then it is told to stop, and waited for a minute at the longest. A mover
 * that lives hears a cancel within seconds, and has ten to hand over (L7); a dead one is found by its heartbeat.
 * Answers undefined when it was left, however `act` ended. A cancel from elsewhere is still waited for to its end.
 */
export async function unlessLeft<T>(
  scope: CancellationScope,
  act: () => Promise<T>,
  left: () => boolean,
): Promise<T | undefined> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  const acting = scope.run(act);
  acting.then(end, end);
  return await CancellationScope.nonCancellable(async () => {
    await condition(() => ended || left());
    if (!left()) return await acting;
    scope.cancel();
    await condition(() => ended, partingMs);
    return undefined;
  });
}
