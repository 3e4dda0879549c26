/**
 * Starts and stops the target machine.
 * Rule: answers only what was observed (S1): running means vCenter said poweredOn after our call, stopped means poweredOff.
 * Never starts a machine whose record says that its disks are open (S4).
 */
import { Failure, refused } from '../../model/failure.ts';
import type { TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { TargetPower, TargetStart, TargetStop } from '../target.ts';
import { act } from './act.ts';
import { needUsesNotAfter } from './disk-guards.ts';
import { asTarget, lookAt, type Machine, machineMissing, type Vcenter } from './inventory.ts';
import { isOpen } from './marks.ts';
import { pause } from './pause.ts';
import { hasProof } from './proof-mark.ts';
import { noQuestion } from './question.ts';
import { ensureStateLeft } from './reconfigure.ts';
import { findTarget, needReturned } from './run-machine.ts';
import { readTwice } from './session.ts';

function needSealed(machine: Machine): void {
  const { mark } = machine;
  if (!isOpen(mark)) return;
  throw refused({
    op: 'PowerOnVM_Task',
    subject: machine.path,
    message: `the disks of ${machine.name} are open: run ${mark.run} has not returned them (${mark.way})`,
    hint: 'Let a failback of this machine end; it seals and returns the disks before it starts the machine.',
  });
}

/** S1, S5: the inventory knows the machine by its path, but only its record says that it is the one of this run. */
export function needOurs(machine: Machine, { path, run }: TargetPower, op: string): void {
  if (machine.mark?.run === run) return;
  throw refused({
    op,
    subject: path,
    message: `${machine.name}, found for ${path}, does not carry the record of run ${run}; it was left as it is`,
    hint: 'It is another machine, or somebody removed the homeward.* settings. Find the machine of this run in the vSphere Client and see to its power there; then take the run back, leaving out with skip what cannot be undone.',
  });
}

/** S3: a machine that is set up to be proven apart would forget what its users write. */
function needPutBack(machine: Machine): void {
  if (!hasProof(machine)) return;
  throw refused({
    op: 'PowerOnVM_Task',
    subject: machine.path,
    message: `${machine.name} is set up to be proven apart: what is written there is forgotten at its power-off`,
    hint: 'Resolve with retry; Homeward puts it back first. By hand: connect its NICs, set its disks to persistent, and remove the setting homeward.proof.',
  });
}

export async function ensureStarted(at: Vcenter, request: TargetStart, work: Work): Promise<TargetMachine> {
  const machine = await findTarget(at, request, work);
  if (!machine) throw machineMissing(request.path);
  return asTarget(at, await powerOn(at, request, machine, needPutBack, work));
}

/** Powers the run's machine on; `fits` is asked of it once more right before. */
export async function powerOn(
  at: Vcenter,
  request: TargetStart,
  machine: Machine,
  fits: (machine: Machine) => void,
  work: Work,
): Promise<Machine> {
  const { path } = request;
  needOurs(machine, request, 'PowerOnVM_Task');
  const { ref } = machine;
  needSealed(machine);
  fits(machine);
  const turns = noQuestion(at, machine, 'PowerOnVM_Task', work);
  return await act<Machine>(
    at.session,
    {
      op: 'PowerOnVM_Task',
      subject: path,
      entity: ref,
      look: () => lookAt(at, ref, path, work),
      done: (seen) => seen.power === 'running',
      lastLook: request.otherSideOff,
      send: (seen, settled, lastLook) => {
        needOurs(seen, request, 'PowerOnVM_Task');
        needSealed(seen);
        fits(seen);
        return at.session.call('PowerOnVM_Task', ref, {}, settled, { subject: path, lastLook });
      },
      allOrNothing: true,
      ownTurns: turns,
      othersTurns: turns,
    },
    work,
  );
}

/** S5: what somebody else started is not ours to stop, because nobody has counted what is lost with that, or accepted it. */
function needNotStarted({ name, power, powerSeen, path }: Machine): void {
  if (power === 'stopped') return;
  throw refused({
    op: 'PowerOffVM_Task',
    subject: path,
    message: `${name} is ${powerSeen}, though no start of this run has started it: somebody else did`,
    hint: 'Find out who started it and look at what was written there: the way back drops that. If it may be dropped, switch the machine off, then resolve with retry.',
  });
}

/** Asks the guest to shut down and gives it time. Whether it did is for the caller to look. */
async function askGuest(at: Vcenter, machine: Machine, waitMs: number, work: Work): Promise<void> {
  const ask = (): Promise<undefined> =>
    at.session.call('ShutdownGuest', machine.ref, {}, work, { subject: machine.path });
  try {
    // A dead session has certainly not asked the guest, so asking again after the new sign-in is the first time.
    await readTwice(at.session, ask);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'Defect') throw error;
    // Tools gone: the power button is next. A lost answer: the guest may be on its way down after all.
    if (error.kind === 'Refused') return;
  }
  for (const until = Date.now() + waitMs; Date.now() < until; ) {
    const seen = await lookAt(at, machine.ref, machine.path, work);
    if (seen.power === 'stopped') return;
    work.report(`waiting for the guest of ${machine.name} to shut down`);
    await pause(1000, work.signal);
  }
}

/**
 * Shuts the guest down where its tools answer, else switches the machine off. A machine that is gone is not off. Its record
 * says `sealed` before it goes down: whoever comes late with a start finds it barred, also when the source serves again by
 * that time (S1).
 */
export async function ensureStopped(
  at: Vcenter,
  request: TargetStop,
  guestWaitMs: number,
  work: Work,
): Promise<TargetMachine> {
  const machine = await needReturned(at, request, work);
  needOurs(machine, request, 'PowerOffVM_Task');
  if (request.neverStarted) needNotStarted(machine);
  if (request.uses !== undefined) needUsesNotAfter(machine, request.run, request.uses);
  await ensureStateLeft(at, machine, ({ state }) => state === 'returned', 'sealed', work);
  if (machine.power === 'running' && machine.guest.agent === 'running') await askGuest(at, machine, guestWaitMs, work);
  return asTarget(at, await powerOff(at, request, machine, work));
}

/** Switches the run's machine off, as the power button does. */
export async function powerOff(at: Vcenter, request: TargetPower, machine: Machine, work: Work): Promise<Machine> {
  const { path } = request;
  const { ref } = machine;
  return await act<Machine>(
    at.session,
    {
      op: 'PowerOffVM_Task',
      subject: path,
      entity: ref,
      look: () => lookAt(at, ref, path, work),
      done: (seen) => seen.power === 'stopped',
      othersTurns: noQuestion(at, machine, 'PowerOffVM_Task', work),
      send: (seen, settled) => {
        needOurs(seen, request, 'PowerOffVM_Task');
        return at.session.call('PowerOffVM_Task', ref, {}, settled, { subject: path });
      },
    },
    work,
  );
}
