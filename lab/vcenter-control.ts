/**
 * The lab's hand on the vCenter simulator: its state for the witness, and what guests and people do to it.
 * Rule: everything read is checked by shape; nothing here goes over the vSphere API.
 */
import { z } from 'zod';
import { knock } from './control-door.ts';
import type { VsphereVm } from './witness/view.ts';

const disk = z.looseObject({
  file: z.string(),
  path: z.string(),
  sizeBytes: z.number(),
  uuid: z.string(),
  /** Where a machine writes that is to forget it at its power-off. */
  redo: z.string().optional(),
  controllerKey: z.number(),
  unit: z.number(),
});

const vm = z.looseObject({
  name: z.string(),
  power: z.enum(['on', 'off', 'suspended']),
  tools: z.string(),
  ip: z.string(),
  snapshots: z.number(),
  disks: z.array(disk),
});

export type VcenterVm = z.infer<typeof vm>;

/** All machines, their disks in slot order. */
export async function readVcenter(control: string): Promise<(VcenterVm & VsphereVm)[]> {
  const rows = z.array(vm).parse(await knock(`${control}/state`));
  return rows.map((row) => ({
    ...row,
    disks: row.disks.toSorted((one, other) => one.controllerKey - other.controllerKey || one.unit - other.unit),
  }));
}

/** Says that the guest's tools answer (or no longer do). */
export async function reportGuest(control: string, guest: { vm: string; running: boolean; ip: string }): Promise<void> {
  await knock(`${control}/guest`, guest);
}

/** Power by hand, as a person at the vSphere client would. */
export async function setVcenterPower(control: string, name: string, state: 'on' | 'off'): Promise<void> {
  await knock(`${control}/power`, { vm: name, state });
}

/** What a guest has written to its disks' files since it last said so, in bytes: vCenter's counter tells it from then on. */
export async function reportWrites(
  control: string,
  writes: { vm: string; disks: readonly { readonly path: string; readonly bytes: number }[] },
): Promise<void> {
  await knock(`${control}/writes`, writes);
}

/** How long one real-time sample of vCenter's counters is, 1 to 20 s; the real one's is 20 s, and so is the lab's at first. */
export async function setSampleSeconds(control: string, seconds: number): Promise<void> {
  await knock(`${control}/samples`, { seconds });
}
