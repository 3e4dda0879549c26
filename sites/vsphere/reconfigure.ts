/**
 * Changes a machine's disks and marks by ReconfigVM_Task.
 * Rule: every change carries the changeVersion of the look it was decided on, and is done when it was observed.
 * Never sends a fileOperation: unplugging leaves the file, plugging takes an existing one. Never adds a controller.
 */
import { refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { act } from './act.ts';
import { freeSlots, type Slot, slotName } from './devices.ts';
import { lookAt, type Machine, type Vcenter } from './inventory.ts';
import { type Mark, type MarkState, type Option, stateOption } from './marks.ts';
import { noQuestion } from './question.ts';
import type { Vim } from './wire/shapes.ts';

type ConfigSpec = Vim<'VirtualMachineConfigSpec'>;
type DeviceSpec = Vim<'VirtualDeviceConfigSpec'>;

export interface Plug {
  readonly file: string;
  readonly sizeBytes: number;
  readonly diskMode: string;
  /** Where it must go; the next free place when absent. */
  readonly slot?: Slot;
}

/** One reconfiguration: `change` answers what is still to be done for the machine as seen, undefined when nothing is. */
export function reconfigure(
  at: Vcenter,
  machine: Machine,
  change: (seen: Machine) => ConfigSpec | undefined,
  work: Work,
): Promise<Machine> {
  const { ref, path } = machine;
  return act<Machine>(
    at.session,
    {
      op: 'ReconfigVM_Task',
      subject: path,
      entity: ref,
      look: () => lookAt(at, ref, path, work),
      done: (seen) => change(seen) === undefined,
      othersTurns: noQuestion(at, machine, 'ReconfigVM_Task', work),
      send: (seen, settled) => {
        const spec = { ...change(seen), changeVersion: seen.changeVersion };
        return at.session.call('ReconfigVM_Task', ref, { spec }, settled, { subject: path });
      },
    },
    work,
  );
}

const unmet = (machine: Machine, options: readonly Option[]): Option[] => {
  const now = new Map(machine.extraConfig.map(({ key, value }) => [key, String(value ?? '')]));
  return options.filter(({ key, value }) => (now.get(key) ?? '') !== value);
};

const config = (options: readonly Option[]): ConfigSpec => ({
  extraConfig: options.map(({ key, value }) => ({ key, value })),
});

/** Writes the options; done when all of them are read back. */
export const ensureOptions = (
  at: Vcenter,
  machine: Machine,
  options: readonly Option[],
  work: Work,
): Promise<Machine> =>
  reconfigure(
    at,
    machine,
    (seen) => {
      const left = unmet(seen, options);
      return left.length === 0 ? undefined : config(left);
    },
    work,
  );

/** Changes the state of a record that `isMeant`, asked of each look; whoever comes late leaves a later one as it is (S8). */
export const ensureStateLeft = (
  at: Vcenter,
  machine: Machine,
  isMeant: (mark: Mark) => boolean,
  to: MarkState,
  work: Work,
): Promise<Machine> =>
  reconfigure(at, machine, ({ mark }) => (mark && isMeant(mark) ? config([stateOption(to)]) : undefined), work);

/**
 * Unplugs the disks of these files, if they hang here, and writes the options in the same change, so that no moment
 * exists in which one is true and the other is not.
 */
export const ensureUnplugged = (
  at: Vcenter,
  machine: Machine,
  files: readonly string[],
  options: readonly Option[],
  work: Work,
): Promise<Machine> =>
  reconfigure(
    at,
    machine,
    (seen) => {
      const disks = seen.disks.filter((disk) => files.includes(disk.file));
      const left = unmet(seen, options);
      if (disks.length === 0 && left.length === 0) return undefined;
      const removals = disks.map((disk): DeviceSpec => ({ operation: 'remove', device: removalOf(seen, disk.key) }));
      return { ...config(left), deviceChange: removals };
    },
    work,
  );

/** A removal names the device as it is; vCenter goes by its key, the other fields only have to be valid. */
function removalOf(machine: Machine, key: number): Vim<'VirtualDisk'> {
  const disk = machine.disks.find((one) => one.key === key);
  return {
    $type: 'VirtualDisk',
    key,
    controllerKey: disk?.controllerKey ?? -1,
    unitNumber: disk?.unit ?? -1,
    capacityInKB: Math.floor((disk?.sizeBytes ?? 0) / 1024),
  };
}

function additionOf(plug: Plug, slot: Slot, key: number): DeviceSpec {
  const device: Vim<'VirtualDisk'> = {
    $type: 'VirtualDisk',
    key,
    backing: {
      $type: 'VirtualDiskFlatVer2BackingInfo',
      fileName: plug.file,
      diskMode: plug.diskMode,
    } as Vim<'VirtualDeviceBackingInfo'>,
    controllerKey: slot.controllerKey,
    unitNumber: slot.unit,
    capacityInKB: plug.sizeBytes / 1024,
    capacityInBytes: plug.sizeBytes,
  };
  return { operation: 'add', device };
}

function chooseSlots(machine: Machine, plugs: readonly Plug[]): [Plug, Slot][] {
  const free = freeSlots(machine.devices);
  return plugs.map((plug) => {
    const slot = plug.slot ?? free.shift();
    if (slot) return [plug, slot];
    throw refused({
      op: 'ReconfigVM_Task',
      subject: machine.path,
      message: `${machine.name} has no free SCSI slot for ${plug.file}`,
      hint: 'Add SCSI controllers to the mover while it is off, or wait until another run has released its disks.',
    });
  });
}

/** Plugs the files that do not hang here yet, each into its slot or the next free one. */
export async function ensurePlugged(
  at: Vcenter,
  machine: Machine,
  plugs: readonly Plug[],
  work: Work,
): Promise<Machine> {
  const seen = await reconfigure(
    at,
    machine,
    (now) => {
      const held = new Set(now.disks.map((disk) => disk.file));
      const missing = plugs.filter((plug) => !held.has(plug.file));
      if (missing.length === 0) return undefined;
      return {
        deviceChange: chooseSlots(now, missing).map(([plug, slot], at) => additionOf(plug, slot, -(at + 1) * 100 - 1)),
      };
    },
    work,
  );
  for (const plug of plugs) {
    const disk = seen.disks.find((one) => one.file === plug.file);
    if (plug.slot && disk && disk.slot !== slotName(plug.slot))
      throw refused({
        op: 'ReconfigVM_Task',
        subject: plug.file,
        message: `${plug.file} hangs on ${seen.name} in slot ${disk.slot}, not in ${slotName(plug.slot)}`,
        hint: 'Unplug the disk in the vSphere Client (keep its file), then retry.',
      });
  }
  return seen;
}
