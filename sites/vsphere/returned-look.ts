/**
 * The look at the machine at home before anything of its source is deleted.
 * Rule (S2): it answers only for the machine with this run's record, `returned`, that holds every disk the run gave back to
 * it. Anything else is refused with what is wrong; its power is told and judged by nobody here. Changes nothing.
 */
import { refused } from '../../model/failure.ts';
import type { TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { OpenedRequest } from '../target.ts';
import { heldBy, lostUnlessFound, placesOf } from './disk-places.ts';
import { asTarget, findAnywhere, type Machine, type Vcenter } from './inventory.ts';
import { findCreated } from './new-machine.ts';

export async function observeReturned(at: Vcenter, request: OpenedRequest, work: Work): Promise<TargetMachine> {
  const { path, run, write, open } = request;
  const machine = write === 'created' ? await findCreated(at, request, work) : await findAnywhere(at, path, work, run);
  const wrong = machine ? await wrongWith(at, machine, { run, open }, work) : `no machine stands at ${path}`;
  if (machine && wrong === undefined) return asTarget(at, machine);
  throw refused({
    op: 'target-stays-home',
    subject: path,
    message: `${wrong}; nothing more of the source is deleted`,
    hint: 'Find out in the vSphere Client what became of the machine and put it back as the run returned it (register it again, attach its disks, restore its homeward.* settings), then resolve with retry. Lost for good: resolve with skip, the deletion too; the source stays as it is, and you start it yourself.',
  });
}

const lostAtHome = lostUnlessFound(
  'the machine at home, then resolve with retry. Lost for good: resolve with skip, the deletion too; the source stays as it is.',
);

/** A live machine may have snapshots on top of a disk, and Storage vMotion may have moved it (disk-places.ts). */
async function wrongWith(
  at: Vcenter,
  machine: Machine,
  { run, open }: Pick<OpenedRequest, 'run' | 'open'>,
  work: Work,
): Promise<string | undefined> {
  const { name, mark } = machine;
  if (mark?.run !== run) return `${name} does not carry the record of run ${run}`;
  if (mark.state !== 'returned') return `the disks of ${name} are not returned to it (${mark.state})`;
  const places = await placesOf(at, open, { on: [machine], lost: lostAtHome }, work);
  const gone = places.filter((place) => !heldBy(place, machine)).map(({ was }) => was);
  return gone.length > 0 ? `${name} does not hold ${gone.join(', ')} any more` : undefined;
}
