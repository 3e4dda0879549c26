/**
 * What the record and the status say of where a machine comes home to (S000-18).
 * Rule: the location is in the record before anything is made there, and what was made right after it was seen (S12).
 */
import type { NewMachine } from '../model/creation.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk } from '../model/machine.ts';
import { nicWords } from '../model/nic-plan.ts';
import type { Teller } from './teller.ts';

export function recordLocation(teller: Teller, { target }: FailbackInput, creation: NewMachine | undefined): void {
  if (!creation) {
    teller.record('location', 'it comes home to its original location', { target: target.path });
    return;
  }
  const { compute, datastore, cpus, memoryMiB, firmware, guestId, nics } = creation;
  teller.record('location', 'it comes home to an alternate location: a new machine is made there', {
    ...{ target: target.path, compute, datastore, cpus, memoryMiB, firmware, guestId },
    // C11: the plan of the addresses; what the guest has to do for it is a step of its own.
    ...Object.fromEntries(nics.map((nic, index) => [`nic-${index}`, nicWords(nic)])),
  });
}

/** The new disks have names of the run's own; from here on the status shows those. */
export function recordMade(
  teller: Teller,
  { target, mover }: FailbackInput,
  { pairs }: { readonly pairs: readonly DiskPair[] },
  open: readonly OpenDisk[],
): void {
  teller.record('machine-made', 'the new machine stands there without a disk and cannot boot; its disks are made', {
    ...{ target: target.path, disks: open.length, mover: mover.name },
  });
  const fileOf = new Map(open.map(({ disk, file }) => [disk, file]));
  teller.find({
    pairs: pairs.map((pair) => ({
      ...pair,
      target: { ...pair.target, file: fileOf.get(pair.disk) ?? pair.target.file },
    })),
  });
}
