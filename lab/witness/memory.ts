/**
 * What the witness keeps in mind between two effects, and how an effect changes it.
 * Rule: it only ever learns from what it has seen in the worlds, never from what Homeward says about itself
 * (the one exception, by nature: that a person has committed).
 */
import type { Deed } from './deed.ts';
import { deallocated, mayRun, sourceVm, targetVm, type WatchedMachine, type WorldView } from './view.ts';

export interface OpenFile {
  readonly file: string;
  readonly path: string;
  /** Modification time when the disk was first seen on the mover: what came later was written by the mover. */
  readonly attachedAtMs: number;
  /** Modification time it had when it was last found equal to its stopped source; until either moves, it still is. */
  equalSinceMs?: number | undefined;
}

/** Both sides of one disk, hashed at the same moment while neither machine ran. */
export interface Comparison {
  readonly machine: string;
  readonly file: string;
  readonly source: string;
  readonly target: string;
}

export interface Memory {
  /** The worlds before anything happened. */
  readonly baseline: WorldView;
  /** Disk files on a mover, beyond the mover's own. */
  readonly open: Map<string, OpenFile>;
  /** Disk files that have hung on a mover and have not started with their machine since: what S3 is about. */
  readonly carried: Set<string>;
  /** Names of machines whose source was seen deallocated after a stop, and has not run since. */
  readonly stopped: Set<string>;
  /** What was deleted and not made again, as `kind name`, and when. */
  readonly gone: Map<string, number>;
  /** The last comparison of each target file. */
  readonly compared: Map<string, Comparison>;
}

export const freshMemory = (baseline: WorldView): Memory => ({
  baseline,
  open: new Map(),
  carried: new Set(),
  stopped: new Set(),
  gone: new Map(),
  compared: new Map(),
});

/** The machine a disk file belongs to: by what hung there at the beginning, else by the folder it lies in. */
export function ownerOf(
  file: string,
  machines: readonly WatchedMachine[],
  baseline: WorldView,
): WatchedMachine | undefined {
  const had = machines.find((each) => targetVm(baseline, each)?.disks.some((disk) => disk.file === file));
  return had ?? machines.find((each) => liesWith(file, each));
}

/** In the machine's folder, or in one that a run made for it at another place. */
export const liesWith = (file: string, { target }: WatchedMachine): boolean =>
  file.includes(`] ${target}/`) || file.includes(`] ${target}-homeward-`);

/** The Azure disk whose bytes belong into a target file: by the slots of the beginning, else by the slots now. */
export function sourceDiskFor(
  file: string,
  machine: WatchedMachine,
  baseline: WorldView,
  view: WorldView,
): string | undefined {
  const first = targetVm(baseline, machine)?.disks.findIndex((disk) => disk.file === file) ?? -1;
  if (first >= 0) return machine.source.disks[first];
  const now = targetVm(view, machine)?.disks ?? [];
  if (now.length !== machine.source.disks.length) return undefined;
  return machine.source.disks[now.findIndex((disk) => disk.file === file)];
}

/** Learns which disks are open now. `changedAtMs` answers when a file was last written. */
export async function learnOpen(
  memory: Memory,
  machines: readonly WatchedMachine[],
  view: WorldView,
  changedAtMs: (path: string) => Promise<number>,
): Promise<void> {
  const movers = new Set(machines.flatMap((each) => each.movers));
  const now = new Set<string>();
  for (const vm of view.vsphere.vms.filter((each) => movers.has(each.name))) {
    const own = memory.baseline.vsphere.vms.find((each) => each.name === vm.name)?.disks ?? [];
    for (const disk of vm.disks.filter((each) => !own.some((mine) => mine.file === each.file))) {
      now.add(disk.file);
      memory.carried.add(disk.file);
      if (!memory.open.has(disk.file))
        memory.open.set(disk.file, { file: disk.file, path: disk.path, attachedAtMs: await changedAtMs(disk.path) });
    }
  }
  for (const file of memory.open.keys()) if (!now.has(file)) memory.open.delete(file);
}

/** Learns from a deed after it was judged. */
export function learnDeed(
  memory: Memory,
  machines: readonly WatchedMachine[],
  view: WorldView,
  deed: Deed,
  nowMs: number,
): void {
  const thing = `${deed.kind} ${deed.name}`;
  if (deed.verb === 'delete') memory.gone.set(thing, nowMs);
  if (deed.verb === 'create') memory.gone.delete(thing);
  for (const machine of machines) {
    const source = sourceVm(view, machine);
    if (mayRun(source)) memory.stopped.delete(machine.name);
    else if (deallocated(source)) memory.stopped.add(machine.name);
    const target = targetVm(view, machine);
    if (target?.power === 'on') for (const disk of target.disks) memory.carried.delete(disk.file);
  }
}
