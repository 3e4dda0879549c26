/**
 * The machine that is made at an alternate location, worked out from the inventory and from what its source is: size,
 * firmware, network, MAC and address of each NIC, and a place for each disk.
 * Rule: worked out once, before anything is made, and carried through the run; what cannot be worked out is a refusing
 * check with a remedy, never a guess (S000-18, S000-24).
 */
import type { Check } from './check.ts';
import type { DiskPair, MachineAddress, SourceDisk, WriteWay } from './machine.ts';
import { type CreateSection, computeOf } from './new-place.ts';
import { addressPlan, type NewNic, planNics, type Refuse, type ShapeNic } from './nic-plan.ts';

/** What a source machine is made of, beside its disks. */
export interface SourceShape {
  /** The source's own name of the size: `Standard_D4s_v5`. */
  readonly size: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly firmware?: 'bios' | 'efi';
  readonly system?: 'linux' | 'windows';
  /** The first one first. */
  readonly nics: readonly ShapeNic[];
}

/** All that making the machine needs. Its folder and its name are the target's path. */
export interface NewMachine {
  /** Inventory path of the host, cluster or resource pool. */
  readonly compute: string;
  readonly datastore: string;
  readonly firmware: 'bios' | 'efi';
  /** Of its SCSI controllers. */
  readonly controller: CreateSection['controller'];
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly guestId: string;
  readonly biosUuid?: string;
  readonly nics: readonly NewNic[];
  readonly onNameClash: 'refuse' | 'suffix';
  /** It boots apart first: its host must have the isolated network too. */
  readonly prove?: true;
}

export interface Creation {
  /** Absent when a check refuses. */
  readonly machine?: NewMachine;
  readonly pairs: readonly DiskPair[];
  readonly checks: readonly Check[];
}

/** How the target's disks are written: at an alternate location they are made for the run, whatever the policy says. */
export const wayOf = (input: {
  readonly create?: CreateSection;
  readonly policy: { readonly write: 'in-place' | 'staged' };
}): WriteWay => (input.create ? 'created' : input.policy.write);

/** Controllers of a machine we make, disks on each: unit 7 is the controller's own. */
const controllers = 4;
const disksEach = 15;
export const mostDisks = controllers * disksEach;

const guestIds = { linux: 'otherLinux64Guest', windows: 'windows2019srv_64Guest' } as const;

/** The name of a machine at a path. */
export const nameAt = (path: string): string => path.split('/').filter(Boolean).at(-1) ?? path;

/** The same as a part of a file's name. */
export const fileName = (path: string): string => nameAt(path).replace(/[^A-Za-z0-9._-]/g, '_');

export function planCreation(
  target: MachineAddress,
  create: CreateSection,
  shape: SourceShape,
  disks: readonly SourceDisk[],
): Creation {
  const checks: Check[] = [];
  const { path } = target;
  const refuse = (id: string, subject: string, seen: string, remedy: string): void => {
    checks.push({ id, verdict: 'refuse', subject, seen, remedy });
  };
  const known = { cpus: create.cpus ?? shape.cpus, memoryMiB: create.memoryMiB ?? shape.memoryMiB };
  const firmware = create.firmware ?? shape.firmware;
  const unknown = [
    ...(known.cpus === undefined ? ['cpus'] : []),
    ...(known.memoryMiB === undefined ? ['memoryMiB'] : []),
    ...(firmware === undefined ? ['firmware'] : []),
  ];
  const { cpus = 0, memoryMiB = 0 } = known;
  const guestId = create.guestId ?? (shape.system && guestIds[shape.system]) ?? 'otherGuest64';
  if (unknown.length > 0)
    refuse(
      'new-machine-shape',
      path,
      `the source does not tell ${unknown.join(', ')} of its size ${shape.size}`,
      `Write ${unknown.map((key) => `create.${key}`).join(', ')} in the inventory.`,
    );
  else
    checks.push({
      id: 'new-machine-shape',
      verdict: 'pass',
      subject: path,
      seen: `${cpus} CPU, ${memoryMiB} MiB of memory, ${firmware}, ${guestId} (in Azure: ${shape.size})`,
    });
  checks.push(driverCheck(path, create, shape));
  const nics = planNics(create, shape.nics, refuse);
  if (nics.length === shape.nics.length) checks.push(addressPlan(path, nics));
  const pairs = planDisks(target, create.datastore, disks, refuse);
  const whole = firmware !== undefined && checks.every(({ verdict }) => verdict !== 'refuse');
  const machine: NewMachine | undefined = whole
    ? {
        ...{ compute: computeOf(create) ?? '', datastore: create.datastore, firmware, cpus, guestId, nics },
        controller: create.controller,
        memoryMiB: Math.ceil(memoryMiB / 4) * 4,
        ...(create.biosUuid === undefined ? {} : { biosUuid: create.biosUuid.toLowerCase() }),
        onNameClash: create.onNameClash,
      }
    : undefined;
  return { ...(machine ? { machine } : {}), pairs, checks };
}

/** Linux has the driver in its kernel; Windows boots from such a controller only when VMware Tools brought it. */
function driverCheck(subject: string, { controller }: CreateSection, { system }: SourceShape): Check {
  const id = 'new-controller-driver';
  if (system !== 'windows' || controller !== 'pvscsi')
    return { id, verdict: 'pass', subject, seen: `its disks will hang on ${controller} controllers` };
  return {
    id,
    verdict: 'warn',
    subject,
    seen: 'its disks will hang on pvscsi controllers, and Windows boots from these only with the driver of VMware Tools',
    remedy:
      'If VMware Tools are not installed in the guest, install them before the cutover, or write create.controller: lsilogic-sas.',
  };
}

/** Slots in the order of the LUNs, the OS disk first: controller after controller, unit 7 left out. */
function slotAt(index: number): string {
  const unit = index % disksEach;
  return `${1000 + Math.floor(index / disksEach)}:${unit < 7 ? unit : unit + 1}`;
}

/** Files are named here without the run; the target's side adds its own ending to them, as for staged disks. */
function planDisks(
  { path }: MachineAddress,
  datastore: string,
  disks: readonly SourceDisk[],
  refuse: Refuse,
): DiskPair[] {
  const name = fileName(path);
  if (disks.length > mostDisks)
    refuse(
      'new-disk-slots',
      path,
      `the source has ${disks.length} disks; a machine of four SCSI controllers takes ${mostDisks}`,
      'Join or remove disks of the source until they fit.',
    );
  return disks.slice(0, mostDisks).map((source, index) => ({
    disk: source.disk,
    source,
    target: {
      slot: slotAt(index),
      file: `[${datastore}] ${name}/${name}${index === 0 ? '' : `_${index}`}.vmdk`,
      sizeBytes: source.sizeBytes,
      uuid: '',
    },
  }));
}

/** Says which location was chosen, so that nobody finds out at the cutover (S000-18). */
export function locationCheck(target: MachineAddress, create: CreateSection | undefined): Check {
  const { site, path } = target;
  const seen = create
    ? `alternate location: a new machine is made at ${site} ${path}, on ${computeOf(create)} and datastore ${create.datastore}`
    : `original location: the machine that stands at ${site} ${path} is written and started again`;
  return { id: 'location-chosen', requirement: 'S000-18', verdict: 'pass', subject: path, seen };
}
