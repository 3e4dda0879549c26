/**
 * Proving first: the machine boots once where nobody can reach it, and what that boot writes is forgotten.
 * Rule: one change puts every NIC on the isolated network and every disk into the mode that forgets at power-off, and writes
 * down how they were; one change puts it all back. Between the two the machine never starts for its users, and whatever
 * dies in between (a host, this worker) leaves the sealed bytes as they are (S3).
 */
import { refused } from '../../model/failure.ts';
import type { TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { TargetPower, TargetStart } from '../target.ts';
import { nicBacking } from './compute.ts';
import type { Device } from './devices.ts';
import { asTarget, type Machine, machineMissing, type Vcenter } from './inventory.ts';
import { readHost } from './machine-shape.ts';
import { needOurs, powerOff, powerOn } from './power.ts';
import { hasProof, proofKey } from './proof-mark.ts';
import {
  type Backing,
  canBePutBack,
  connectTo,
  intoMode,
  nicsOf,
  type Proof,
  putBack,
  sameNetwork,
} from './put-back.ts';
import { reconfigure } from './reconfigure.ts';
import { findTarget, needReturned } from './run-machine.ts';

/** What a running machine writes is gone when its power goes; it is not kept in snapshots either. */
const forgetful = 'independent_nonpersistent';

export async function ensureProofStarted(
  at: Vcenter,
  request: TargetStart,
  network: string | undefined,
  work: Work,
): Promise<TargetMachine> {
  const machine = await findTarget(at, request, work);
  if (!machine) throw machineMissing(request.path);
  needOurs(machine, request, 'ReconfigVM_Task');
  const isolated = await isolatedBacking(at, machine, network, work);
  const set = hasProof(machine) ? machine : await setUp(at, machine, isolated, work);
  needApart(set, isolated);
  return asTarget(at, await powerOn(at, request, set, (seen) => needApart(seen, isolated), work));
}

/** Powers it off, and puts back how it was. Done already, or never begun, is as good. */
export async function ensureProofEnded(at: Vcenter, request: TargetPower, work: Work): Promise<TargetMachine> {
  const machine = await needReturned(at, request, work);
  needOurs(machine, request, 'PowerOffVM_Task');
  if (!hasProof(machine)) return asTarget(at, machine);
  const off = await powerOff(at, request, machine, work);
  return asTarget(at, await putBack(at, off, work));
}

async function setUp(at: Vcenter, machine: Machine, isolated: Backing, work: Work): Promise<Machine> {
  if (machine.power !== 'stopped')
    throw refused({
      op: 'prove-isolated',
      subject: machine.path,
      message: `${machine.name} is ${machine.powerSeen} already, so it cannot be proven apart first`,
      hint: 'Find out who started it. Stop it, then resolve with retry.',
    });
  const proof: Proof = {
    nics: nicsOf(machine).map((nic) => ({ key: nic.key ?? -1, backing: restorable(machine, nic) })),
    disks: machine.disks.map(({ key, diskMode }) => ({ key, mode: diskMode })),
  };
  const edits = [
    ...proof.nics.map(({ key }) => connectTo(machine, key, isolated)),
    ...proof.disks.map(({ key }) => intoMode(machine, key, forgetful)),
  ].filter((edit) => edit !== undefined);
  return await reconfigure(
    at,
    machine,
    (seen) =>
      hasProof(seen)
        ? undefined
        : { deviceChange: edits, extraConfig: [{ key: proofKey, value: JSON.stringify(proof) }] },
    work,
  );
}

/** How the NIC is connected, if that can be put back. */
function restorable(machine: Machine, { key, backing }: Device): Backing & { readonly $type: string } {
  if (canBePutBack(backing) && backing?.$type !== undefined) return { ...backing, $type: backing.$type };
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message: `NIC ${key} of ${machine.name} is connected by ${backing?.$type ?? 'nothing'}, which cannot be put back`,
    hint: 'Take `prove: isolated` out of the policy and start a new run, or connect the NIC to a port group.',
  });
}

async function isolatedBacking(
  at: Vcenter,
  machine: Machine,
  network: string | undefined,
  work: Work,
): Promise<Backing> {
  const host = await readHost(at, machine, work);
  const found = host?.networks.find(({ name }) => name === network);
  const backing = found && network !== undefined ? await nicBacking(at, found.ref, network, work) : undefined;
  if (backing) return backing;
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message:
      network === undefined
        ? 'this worker’s inventory names no isolatedNetwork for the site'
        : `the host of ${machine.name} has no port group called ${network}`,
    hint: 'Name a port group that leads nowhere as isolatedNetwork of the site, restart the control worker, then resolve with retry.',
  });
}

/** Looked at again right before the start: nothing of it may be reached, and nothing may stay of what it writes. */
function needApart(machine: Machine, isolated: Backing): void {
  const astray = nicsOf(machine).filter(({ backing }) => !sameNetwork(backing, isolated));
  const lasting = machine.disks.filter(({ diskMode }) => diskMode !== forgetful);
  if (hasProof(machine) && astray.length === 0 && lasting.length === 0) return;
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message: `${machine.name} is not apart any more: ${astray.length} NICs elsewhere, ${lasting.length} disks that keep what is written`,
    hint: 'Somebody changed the machine. Take the run back (resolve with undo; nothing went live), then start a new one.',
  });
}
