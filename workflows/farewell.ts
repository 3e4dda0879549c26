/**
 * The end of a run on its mover: what it kept there of the disks is removed.
 * Rule (S11): what cannot be removed is a declared leftover in the record. Never keeps a run open: the machine serves, and
 * a mover that is gone for good would hold the end back for ever.
 */
import { isCancellation } from '@temporalio/workflow';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair } from '../model/machine.ts';
import type { Teller } from './teller.ts';
import { troubleOf } from './trouble.ts';
import { farewellVerbs, summary } from './verbs.ts';

export interface Leaving {
  readonly input: FailbackInput;
  readonly run: string;
  readonly teller: Teller;
}

export async function leaveTheMover({ input, run, teller }: Leaving, pairs: readonly DiskPair[]): Promise<void> {
  const disks = pairs.map(({ disk }) => disk);
  const { name } = input.mover;
  try {
    const left = await farewellVerbs(input).releaseDiskRecords.executeWithOptions(
      summary(`Remove what mover ${name} kept of ${input.machine}`),
      [{ machine: input.machine, run, disks }],
    );
    teller.record('mover-left', 'what the mover kept of these disks is removed', {
      mover: name,
      left: left.join(', '),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message } = troubleOf(error, '');
    const what = `what mover ${name} kept of ${input.machine} stays in its state folder; delete the folder of the machine there`;
    teller.record('mover-leftover', what, { mover: name, disks: disks.join(', '), because: message });
  }
}
