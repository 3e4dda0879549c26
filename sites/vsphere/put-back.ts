/**
 * How a machine was before it was set up to be proven apart: read from its mark `homeward.proof`, and put back.
 * Rule: the mark goes only in the same change that puts the machine back (S3, S11); one that cannot be read is refused, so
 * that nobody forgets how the machine was connected. Whoever finds the mark may put the machine back, also a later run.
 */
import { z } from 'zod';
import { refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { AttachedDisk, Device } from './devices.ts';
import type { Machine, Vcenter } from './inventory.ts';
import { parseJson } from './parse-json.ts';
import { hasProof, proofKey } from './proof-mark.ts';
import { reconfigure } from './reconfigure.ts';
import { isA, type Vim } from './wire/shapes.ts';

export type Backing = Vim<'VirtualDeviceBackingInfo'>;

const proofShape = z.object({
  nics: z.array(z.object({ key: z.number(), backing: z.looseObject({ $type: z.string() }) })),
  disks: z.array(z.object({ key: z.number(), mode: z.string() })),
});
export type Proof = z.infer<typeof proofShape>;

/** One change; the machine has to be off. Fine when there is nothing to put back. */
export const putBack = (at: Vcenter, machine: Machine, work: Work): Promise<Machine> =>
  reconfigure(
    at,
    machine,
    (seen) => {
      if (!hasProof(seen)) return undefined;
      const { nics, disks } = needProof(seen);
      const edits = [
        ...nics.map(({ key, backing }) => connectTo(seen, key, backing as Backing)),
        ...disks.map(({ key, mode }) => intoMode(seen, key, mode)),
      ];
      return { deviceChange: edits.filter((edit) => edit !== undefined), extraConfig: [{ key: proofKey, value: '' }] };
    },
    work,
  );

/** What the mark says; undefined when there is none, or none that can be read. */
export function readProof(machine: Machine): Proof | undefined {
  const text = String(machine.extraConfig.find(({ key }) => key === proofKey)?.value ?? '');
  return proofShape.safeParse(parseJson(text)).data;
}

/** Its disks in the modes that they will have. */
export function asPutBack(machine: Machine): AttachedDisk[] {
  const before = new Map(readProof(machine)?.disks.map(({ key, mode }) => [key, mode]));
  return machine.disks.map((disk) => ({ ...disk, diskMode: before.get(disk.key) ?? disk.diskMode }));
}

/** How its NICs are connected, or will be again. */
export const backingsOf = (machine: Machine): (Backing | undefined)[] =>
  readProof(machine)?.nics.map(({ backing }) => backing as Backing) ?? nicsOf(machine).map(({ backing }) => backing);

function needProof(machine: Machine): Proof {
  const proof = readProof(machine);
  if (proof) return proof;
  throw refused({
    op: 'prove-isolated',
    subject: machine.path,
    message: `the setting ${proofKey} of ${machine.name} cannot be read, so how it was connected is unknown`,
    hint: proofByHand,
  });
}

export const proofByHand =
  'Connect its NICs and set its disks to Dependent by hand, remove the setting homeward.proof, then try again (resolve with retry).';

/** Whether a NIC that hangs so can be taken off its network and put back: an NSX (opaque) network is none of these. */
export const canBePutBack = (backing: Device['backing']): boolean =>
  isA(backing, 'VirtualEthernetCardNetworkBackingInfo') ||
  isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo');

export const nicsOf = ({ devices }: Machine): Device[] =>
  devices.filter((device) => isA(device, 'VirtualEthernetCard'));

export function connectTo(machine: Machine, key: number, backing: Backing): Vim<'VirtualDeviceConfigSpec'> | undefined {
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

export function sameNetwork(one: Backing | undefined, other: Backing): boolean {
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

export function intoMode(machine: Machine, key: number, diskMode: string): Vim<'VirtualDeviceConfigSpec'> | undefined {
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
