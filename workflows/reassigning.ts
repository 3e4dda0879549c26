/**
 * A machine goes to another mover while it is under way: the look before such a message is heard, and the leaving of the
 * mover that has it.
 * Rule (S8): a mover that lives is given time to let go of the disks; one that does not answer is not waited for. What keeps
 * either from writing later is that its disks are unplugged, and the marker on them.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair } from '../model/machine.ts';
import type { Message } from '../model/message.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';

/** Why the mover that a message names cannot carry the machine; undefined when it can. Never throws. */
export async function lookAtMover(
  failback: FailbackInput,
  pairs: readonly DiskPair[],
  { mover: name = '', path = '' }: Message,
): Promise<string | undefined> {
  const sizesBytes = pairs.map((pair) => pair.source.sizeBytes);
  try {
    const [wrong] = await CancellationScope.nonCancellable(() =>
      controlVerbs(failback).observeMover.executeWithOptions(summary(`Can ${name} carry ${failback.machine}?`), [
        { failback, mover: { name, path }, sizesBytes },
      ]),
    );
    return wrong && `${wrong.id}: ${wrong.seen}. ${wrong.remedy ?? ''}`.trim();
  } catch (error) {
    return `${name} could not be looked at: ${troubleOf(error, '').message}`;
  }
}

/** A mover that lives hears a cancel within seconds, and has ten to hand over (L7); a dead one is found by its heartbeat. */
const partingMs = 60_000;

/**
 * Runs `act` in `scope` until the mover is to be left: then it is told to stop, and waited for a minute at the longest.
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
