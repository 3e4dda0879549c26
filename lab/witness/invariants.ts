/**
 * The promises as rules over what is seen right after an effect (docs/promises.md, S1 to S6).
 * Rule: a rule answers in sentences what is wrong, and nothing when all is well; it changes nothing.
 * Never trusts a single glance where the worlds may be in the middle of one write (S4 looks twice).
 */
import type { Deed } from './deed.ts';
import { type Memory, type OpenFile, ownerOf, sourceDiskFor } from './memory.ts';
import { deallocated, mayRun, sourceVm, targetVm, type WatchedMachine, type WorldView } from './view.ts';

/** The bytes behind the worlds, as far as the rules need them. */
export interface Evidence {
  /** SHA-256 of a flat file, hex. */
  targetSha256(path: string): Promise<string>;
  /** SHA-256 of the content of an Azure disk, hex: live, or that of a disk restore point of it. */
  sourceSha256(disk: string, moment?: string): Promise<string>;
  /** Boot signatures at the ends of a flat file, in words. */
  signatures(path: string): Promise<readonly string[]>;
  changedAtMs(path: string): Promise<number>;
  nowMs(): number;
  /** Waits a moment before a second glance. */
  moment(): Promise<void>;
}

export interface Moment {
  readonly view: WorldView;
  readonly deed: Deed;
  readonly machine: WatchedMachine;
  readonly machines: readonly WatchedMachine[];
  readonly memory: Memory;
  readonly committed: boolean;
  /** A person chose the newest restore point instead of the latest moment. */
  readonly older?: boolean;
  readonly evidence: Evidence;
  /** The worlds as they are by now. */
  lookAgain(): Promise<WorldView>;
}

export interface Invariant {
  readonly id: string;
  check(moment: Moment): Promise<string[]> | string[];
}

const startsTarget = ({ deed, machine }: Moment): boolean =>
  deed.verb === 'start' && deed.kind === 'target-vm' && deed.name === machine.target;

/** S1: one writer, and the target starts only after the source was seen stopped. */
const oneWriter: Invariant = {
  id: 'S1',
  check(moment) {
    const { view, machine, memory } = moment;
    const source = sourceVm(view, machine);
    const target = targetVm(view, machine);
    if (target?.power === 'on' && target.disks.length > 0 && mayRun(source))
      return [`${machine.target} is on while ${machine.source.vm} is ${source?.power} in Azure`];
    if (startsTarget(moment) && source !== undefined && !(deallocated(source) && memory.stopped.has(machine.name)))
      return [
        `${machine.target} was started although ${machine.source.vm} had not been seen deallocated (${source.power})`,
      ];
    return [];
  },
};

/** S2: nothing of the source dies before a person has committed. */
const nothingDiesEarly: Invariant = {
  id: 'S2',
  check({ view, machine, committed }) {
    if (committed) return [];
    const { vm, disks, nics } = machine.source;
    const lost = [
      ...(view.azure.vms.some((each) => each.name === vm) ? [] : [`virtual machine ${vm}`]),
      ...disks.filter((name) => !view.azure.disks.includes(name)).map((name) => `disk ${name}`),
      ...nics.filter((name) => !view.azure.nics.includes(name)).map((name) => `network interface ${name}`),
    ];
    return lost.map((what) => `${what} is gone from Azure and nobody has committed`);
  },
};

/** The disk restore point of the newest restore point that holds the disk. */
const newestRestorePoint = ({ azure }: WorldView, disk: string): string | undefined =>
  (azure.restorePointCollections ?? [])
    .flatMap(({ points }) => points.flatMap(({ disks }) => disks.filter(({ source }) => source === disk)))
    .at(-1)?.name;

/** Compares one carried disk with the disk it came from; undefined when equal. */
async function difference(moment: Moment, file: string, path: string): Promise<string | undefined> {
  const { machine, memory, view, evidence } = moment;
  const disk = sourceDiskFor(file, machine, memory.baseline, view);
  if (disk === undefined || !view.azure.disks.includes(disk)) return undefined;
  const at = moment.older ? newestRestorePoint(view, disk) : undefined;
  if (moment.older && at === undefined) return `${disk} has no restore point to compare with`;
  const [there, here] = await Promise.all([evidence.sourceSha256(disk, at), evidence.targetSha256(path)]);
  memory.compared.set(file, { machine: machine.name, file, source: there, target: here });
  return there === here
    ? undefined
    : `${file} differs from ${disk} (${here.slice(0, 12)} against ${there.slice(0, 12)})`;
}

/** S3: a disk that hung on a mover goes back to its machine, and starts with it, only when equal to the source. */
const byteEquality: Invariant = {
  id: 'S3',
  async check(moment) {
    const { deed, machine, memory, view } = moment;
    const returned = deed.verb === 'attach' && deed.vm === machine.target;
    if (!returned && !startsTarget(moment)) return [];
    const disks = (targetVm(view, machine)?.disks ?? []).filter((disk) => memory.carried.has(disk.file));
    if (disks.length === 0) return [];
    const source = sourceVm(view, machine);
    if (mayRun(source)) return [`disks came back to ${machine.target} while ${machine.source.vm} is ${source?.power}`];
    const found: string[] = [];
    for (const disk of disks.filter((each) => !returned || each.file === deed.name)) {
      const seen = await difference(moment, disk.file, disk.path);
      if (seen !== undefined) found.push(seen);
    }
    return found;
  },
};

/** Whether an open disk that the mover has written to shows how to boot it, at two glances. */
async function showsBoot({ evidence }: Moment, path: string): Promise<readonly string[]> {
  if ((await evidence.signatures(path)).length === 0) return [];
  await evidence.moment();
  return evidence.signatures(path);
}

/** A disk that is written to all the time is judged at last as it is. */
const judgedWithinMs = 5_000;

/**
 * What is wrong with the bytes of a disk on a mover: it may show how to boot only when it is equal to its stopped source.
 * Judged is a file that stood still during the whole look: between two steps of a seal it is neither open nor sealed.
 */
async function bootsTooEarly(moment: Moment, open: OpenFile): Promise<string | undefined> {
  const { evidence } = moment;
  const judgedAtMs = evidence.nowMs() + judgedWithinMs;
  for (;;) {
    const changedAtMs = await evidence.changedAtMs(open.path);
    const wrong = await seenToBoot(moment, open, changedAtMs);
    if (wrong === undefined) return undefined;
    if ((await evidence.changedAtMs(open.path)) === changedAtMs || evidence.nowMs() >= judgedAtMs) return wrong;
  }
}

async function seenToBoot(moment: Moment, open: OpenFile, changedAtMs: number): Promise<string | undefined> {
  const { machine, view } = moment;
  const running = mayRun(sourceVm(view, machine));
  if (changedAtMs <= open.attachedAtMs || (!running && changedAtMs === open.equalSinceMs)) return undefined;
  open.equalSinceMs = undefined;
  const signs = await showsBoot(moment, open.path);
  if (signs.length === 0) return undefined;
  // Sealed and still plugged into the mover: then it must be equal to the stopped source.
  const unequal = running ? 'the source still runs' : await difference(moment, open.file, open.path);
  // The worlds go on while both sides are hashed: a source that was started meanwhile is judged with the effect of its start.
  if (unequal !== undefined && !running && mayRun(sourceVm(await moment.lookAgain(), machine))) return undefined;
  if (unequal !== undefined) return `${open.file} is open and carries ${signs.join(', ')} (${unequal})`;
  open.equalSinceMs = changedAtMs;
  return undefined;
}

/** S4: an open disk hangs on one mover alone, its machine is off, and nothing on it says how to boot. */
const halfDiskCannotBoot: Invariant = {
  id: 'S4',
  async check(moment) {
    const { view, machine, machines, memory } = moment;
    const found: string[] = [];
    for (const open of memory.open.values()) {
      if (ownerOf(open.file, machines, memory.baseline)?.name !== machine.name) continue;
      const holders = view.vsphere.vms.filter((vm) => vm.disks.some((disk) => disk.file === open.file));
      const others = holders.filter((vm) => !machine.movers.includes(vm.name)).map((vm) => vm.name);
      if (holders.length - others.length > 1) found.push(`${open.file} hangs on several movers`);
      if (others.length > 0) found.push(`${open.file} is open and also hangs on ${others.join(', ')}`);
      const target = targetVm(view, machine);
      if (target !== undefined && target.power !== 'off')
        found.push(`${open.file} is open while ${target.name} is ${target.power}`);
      const early = await bootsTooEarly(moment, open);
      if (early !== undefined) found.push(early);
    }
    return found;
  },
};

/** Two tries of one deletion may overlap while Azure is still at it; later than this, it is a second deletion. */
const overlapMs = 5_000;

/** S6: nothing is deleted twice, and after a commit nothing goes back. */
const oneWay: Invariant = {
  id: 'S6',
  check({ deed, memory, machine, machines, committed, evidence }) {
    const found: string[] = [];
    if (committed && deed.verb === 'start' && deed.kind === 'source-vm' && deed.name === machine.source.vm)
      found.push(`${deed.name} was started in Azure after the commit`);
    if (committed && deed.verb === 'detach' && deed.vm === machine.target)
      found.push(`${deed.name} was taken from ${machine.target} after the commit`);
    // A deletion belongs to no machine by itself; it is reported once, with the first.
    const before = deed.verb === 'delete' ? memory.gone.get(`${deed.kind} ${deed.name}`) : undefined;
    if (before !== undefined && machines[0]?.name === machine.name && evidence.nowMs() - before > overlapMs)
      found.push(`${deed.kind} ${deed.name} was deleted a second time`);
    return found;
  },
};

export const invariants: readonly Invariant[] = [oneWriter, nothingDiesEarly, byteEquality, halfDiskCannotBoot, oneWay];
