/**
 * The look at home between two rounds, right before the source is stopped and right before the seal: whether all still stands there as it was opened.
 * Rule: what changed calls a person before anything more is written or stopped; a home that cannot be looked at stops no
 * round, but nobody stops the source or seals a disk without having seen it.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import { isOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';

export interface Opened {
  readonly input: FailbackInput;
  readonly run: string;
  readonly pairs: readonly DiskPair[];
  readonly open: readonly OpenDisk[];
}

/** Before the round after `number`. Answers why home could not be looked at; throws when something there changed. */
export async function lookAtHome({ input, run, pairs, open }: Opened, number: number): Promise<string | undefined> {
  const { unseen } = await controlVerbs(input).observeHomeStays.executeWithOptions(
    summary(`Before round ${number + 1}: does all stand at home as it was opened?`),
    [{ failback: input, run, pairs, open }],
  );
  return unseen;
}

/** `when`: what follows it, or went before. Throws when something there changed, or could not be seen. */
export async function needHomeAsOpened({ input, run, pairs, open }: Opened, when: string): Promise<void> {
  await controlVerbs(input).observeHomeStays.executeWithOptions(
    summary(`${when}: does all stand at home as it was opened?`),
    [{ failback: input, run, pairs, open, needed: true }],
  );
}

/** After a copy failed. Throws when a disk is not as it was opened; any other finding, or none, leaves the failure as it is. */
export async function needDisksAsOpened({ input, run, pairs, open }: Opened): Promise<void> {
  try {
    await controlVerbs(input).observeHomeStays.executeWithOptions(
      summary('The copy failed: does each disk hang as it was opened?'),
      [{ failback: input, run, pairs, open }],
    );
  } catch (error) {
    if (isOf(error, movedDiskCheck)) throw error;
  }
}

/** For the words on the round that follows. */
export const unseenWords = (unseen: string | undefined): string =>
  unseen === undefined ? '' : `; home could not be looked at before it: ${unseen}`;
