/**
 * Proving first: the machine boots once where nobody can reach it, and what that boot writes is forgotten.
 * Rule: one change puts every NIC on the isolated network and every disk into the mode that forgets at power-off, and writes
 * down how they were; one change puts it all back. Between the two the machine never starts for its users, and whatever
 * dies in between (a host, this worker) leaves the sealed bytes as they are (S3).
 */
import { z } from 'zod';
import { refused } from '../../model/failure.ts';
import type { TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { TargetPower, TargetStart } from '../target.ts';
import { nicBacking } from './compute.ts';
import type { Device } from './devices.ts';
import { absentTarget, asTarget, type Machine, machineMissing, type Vcenter } from './inventory.ts';
import { readHost } from './machine-shape.ts';
import { findTarget, needOurs, powerOff, powerOn } from './power.ts';
import { hasProof, proofKey } from './proof-mark.ts';
import { reconfigure } from './reconfigure.ts';
import { isA, type Vim } from './wire/shapes.ts';

type Backing = Vim<'VirtualDeviceBackingInfo'>;

/** What a running machine writes is gone when its power goes; it is not kept in snapshots either. */
const forgetful = 'independent_nonpersistent';

const proofShape = z.object({
  nics: z.array(z.object({ key: z.number(), backing: z.looseObject({ $type: z.string() }) })),
  disks: z.array(z.object({ key: z.number(), mode: z.string() })),
});
type Proof = z.infer<typeof proofShape>;

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
  const machine = await findTarget(at, request, work);
  if (!machine) return absentTarget(at, request.path);
  if (!hasProof(machine)) return asTarget(at, machine);
  needOurs(machine, request, 'PowerOffVM_Task');
  const off = await powerOff(at, request, machine, work);
  const back = await reconfigure(
    at,
    off,
    (seen) => {
      if (!hasProof(seen)) return undefined;
      const { nics, disks } = readProof(seen);
      const edits = [
        ...nics.map(({ key, backing }) => connectTo(seen, key, backing as Backing)),
        ...disks.map(({ key, mode }) => intoMode(seen, key, mode)),
      ];
      return { deviceChange: edits.filter((edit) => edit !== undefined), extraConfig: [{ key: proofKey, value: '' }] };
    },
    work,
  );
  return asTarget(at, back);
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

const nicsOf = ({ devices }: Machine): Device[] => devices.filter((device) => isA(device, 'VirtualEthernetCard'));

/** How the NIC is connected, if that can be put back. */
function restorable(machine: Machine, { key, backing }: Device): Backing & { readonly $type: string } {
  const known =
    isA(backing, 'VirtualEthernetCardNetworkBackingInfo') ||
    isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo');
  if (known && backing.$type !== undefined) return { ...backing, $type: backing.$type };
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message: `NIC ${key} of ${machine.name} is connected by ${backing?.$type ?? 'nothing'}, which cannot be put back`,
    hint: 'Take `prove: isolated` out of the policy and start a new run, or connect the NIC to a port group.',
  });
}

function connectTo(machine: Machine, key: number, backing: Backing): Vim<'VirtualDeviceConfigSpec'> | undefined {
  const nic = nicsOf(machine).find((one) => one.key === key) as Vim<'VirtualEthernetCard'> | undefined;
  if (!nic || sameNetwork(nic.backing, backing)) return undefined;
  const { $type, controllerKey, unitNumber, addressType, macAddress } = nic;
  const place = {
    ...(controllerKey === undefined ? {} : { controllerKey }),
    ...(unitNumber === undefined ? {} : { unitNumber }),
  };
  const address = {
    ...(addressType === undefined ? {} : { addressType }),
    ...(macAddress === undefined ? {} : { macAddress }),
  };
  const device = { $type: $type ?? 'VirtualEthernetCard', key, backing: whole(backing), ...place, ...address };
  return { operation: 'edit', device: device as Vim<'VirtualDevice'> };
}

/** A port is given anew at each connection; only the port group is asked for. */
function whole(backing: Backing): Backing {
  if (!isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo')) return backing;
  const { switchUuid, portgroupKey } = backing.port ?? {};
  const port = { ...(switchUuid ? { switchUuid } : {}), ...(portgroupKey ? { portgroupKey } : {}) };
  return { $type: backing.$type, port } as Backing;
}

function sameNetwork(one: Backing | undefined, other: Backing): boolean {
  if (isA(one, 'VirtualEthernetCardDistributedVirtualPortBackingInfo'))
    return (
      isA(other, 'VirtualEthernetCardDistributedVirtualPortBackingInfo') &&
      one.port?.portgroupKey === other.port?.portgroupKey
    );
  return (
    isA(one, 'VirtualEthernetCardNetworkBackingInfo') &&
    isA(other, 'VirtualEthernetCardNetworkBackingInfo') &&
    one.deviceName === other.deviceName
  );
}

function intoMode(machine: Machine, key: number, diskMode: string): Vim<'VirtualDeviceConfigSpec'> | undefined {
  const disk = machine.disks.find((one) => one.key === key);
  if (!disk || disk.diskMode === diskMode) return undefined;
  const device: Vim<'VirtualDisk'> = {
    $type: 'VirtualDisk',
    key,
    backing: { $type: 'VirtualDiskFlatVer2BackingInfo', fileName: disk.file, diskMode } as Backing,
    controllerKey: disk.controllerKey,
    unitNumber: disk.unit,
    capacityInKB: Math.floor(disk.sizeBytes / 1024),
    capacityInBytes: disk.sizeBytes,
  };
  return { operation: 'edit', device };
}

function readProof(machine: Machine): Proof {
  const text = String(machine.extraConfig.find(({ key }) => key === proofKey)?.value ?? '');
  const read = proofShape.safeParse(parsed(text));
  if (read.success) return read.data;
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message: `the setting ${proofKey} of ${machine.name} cannot be read, so how it was connected is unknown`,
    hint: 'Connect its NICs and set its disks to persistent by hand, remove the setting, then resolve with retry.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
