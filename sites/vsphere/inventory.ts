/**
 * Finds machines by their inventory path and reads everything we decide by in one call.
 * Rule: a look is one consistent read of one machine; nothing is remembered between looks. A machine that was moved or
 * renamed is found by the record it carries. Never searches by name: two machines may share one.
 */
import { type Failure, refused } from '../../model/failure.ts';
import type { Guest, Power, TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import { type AttachedDisk, bySlot, type Device, disksOf, parseSlot } from './devices.ts';
import { isOpen, type Mark, readMark } from './marks.ts';
import { readAll, readObject } from './properties.ts';
import { type ReadableSession, required } from './session.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface Machine {
  readonly ref: Ref;
  readonly path: string;
  readonly name: string;
  readonly power: Power;
  readonly powerSeen: string;
  readonly changeVersion: string;
  readonly devices: readonly Device[];
  readonly disks: readonly AttachedDisk[];
  readonly extraConfig: readonly Vim<'OptionValue'>[];
  readonly mark: Mark | undefined;
  readonly snapshots: number;
  readonly consolidationNeeded: boolean;
  readonly guest: Guest;
  readonly host: Ref | undefined;
  /** `[ds] erp-db/erp-db.vmx`: where its own settings lie. */
  readonly settingsFile: string;
  /** The text of a question the machine waits to have answered. */
  readonly question: string | undefined;
}

/** A live look at one site: what every operation needs at hand. */
export interface Vcenter {
  readonly session: ReadableSession;
  readonly site: string;
  readonly datacenter: string;
  /** The port group that leads nowhere, where the site has one. */
  readonly isolatedNetwork?: string | undefined;
}

const paths = [
  'name',
  'runtime.powerState',
  'runtime.host',
  'runtime.consolidationNeeded',
  'runtime.question',
  'config.changeVersion',
  'config.hardware.device',
  'config.extraConfig',
  'config.files.vmPathName',
  'snapshot',
  'guest.toolsRunningStatus',
  'guest.toolsVersionStatus2',
  'guest.ipAddress',
];

const powers: Readonly<Record<string, Power>> = { poweredOn: 'running', poweredOff: 'stopped' };

const countSnapshots = (trees: readonly Vim<'VirtualMachineSnapshotTree'>[]): number =>
  trees.reduce((sum, tree) => sum + 1 + countSnapshots(tree.childSnapshotList ?? []), 0);

function guestOf(values: ReadonlyMap<string, unknown>): Guest {
  const running = values.get('guest.toolsRunningStatus') === 'guestToolsRunning';
  const missing = values.get('guest.toolsVersionStatus2') === 'guestToolsNotInstalled';
  const ip = values.get('guest.ipAddress');
  return {
    agent: running ? 'running' : missing ? 'not-installed' : 'not-running',
    ...(typeof ip === 'string' && ip !== '' && { ip }),
  };
}

/** The object at an inventory path such as `/DC0/vm/erp-db`; undefined when there is none. */
export async function findByPath(at: Vcenter, path: string, work: Work): Promise<Ref | undefined> {
  const search = required((await at.session.content(work)).searchIndex, 'search index');
  const inventoryPath = path.replace(/^\/+/, '');
  return at.session.call('FindByInventoryPath', search, { inventoryPath }, work, { subject: path });
}

export const machineMissing = (path: string): Failure =>
  refused({
    op: 'FindByInventoryPath',
    subject: path,
    message: `no machine stands at ${path}`,
    hint: 'Check the path in the inventory: /<datacenter>/vm/<folders>/<machine>, and that the account may see it.',
  });

/** Looks at a machine whose reference is known. */
export async function lookAt(at: Vcenter, ref: Ref, path: string, work: Work): Promise<Machine> {
  const { values } = await readObject(at.session, ref, paths, work, path);
  const devices = (values.get('config.hardware.device') as readonly Device[] | undefined) ?? [];
  const extraConfig = (values.get('config.extraConfig') as readonly Vim<'OptionValue'>[] | undefined) ?? [];
  const snapshot = values.get('snapshot') as Vim<'VirtualMachineSnapshotInfo'> | undefined;
  const question = values.get('runtime.question') as Vim<'VirtualMachineQuestionInfo'> | undefined;
  const powerSeen = String(values.get('runtime.powerState') ?? 'unknown');
  return {
    ref,
    path,
    name: String(values.get('name') ?? path),
    power: powers[powerSeen] ?? 'changing',
    powerSeen,
    changeVersion: String(values.get('config.changeVersion') ?? ''),
    devices,
    disks: disksOf(devices),
    extraConfig,
    mark: readMark(extraConfig),
    snapshots: countSnapshots(snapshot?.rootSnapshotList ?? []),
    consolidationNeeded: values.get('runtime.consolidationNeeded') === true,
    guest: guestOf(values),
    host: values.get('runtime.host') as Ref | undefined,
    settingsFile: String(values.get('config.files.vmPathName') ?? ''),
    question: question?.text,
  };
}

/** Finds and looks; undefined when no machine stands there. */
export async function findMachine(at: Vcenter, path: string, work: Work): Promise<Machine | undefined> {
  const ref = await findByPath(at, path, work);
  return ref?.type === 'VirtualMachine' ? lookAt(at, ref, path, work) : undefined;
}

/** The machine that carries a record of ours that fits, wherever it stands by now. Refuses when several do. */
export async function findByMark(
  at: Vcenter,
  fits: (mark: Mark) => boolean,
  path: string,
  work: Work,
): Promise<Machine | undefined> {
  const all = await readAll(at.session, 'VirtualMachine', ['name', 'config.extraConfig'], work);
  const found = all.filter(({ values }) => {
    const mark = readMark((values.get('config.extraConfig') as readonly Vim<'OptionValue'>[] | undefined) ?? []);
    return mark !== undefined && fits(mark);
  });
  const [one, second] = found;
  if (one === undefined) return undefined;
  if (second === undefined) return lookAt(at, one.ref, path, work);
  throw refused({
    op: 'find machine',
    subject: path,
    message: `several machines carry the record of this one: ${found.map(({ values }) => values.get('name')).join(', ')}`,
    hint: 'One is a copy of the other: remove the homeward.* settings from the copy, then retry.',
  });
}

/** The machine that carries the record of this run and no other, `there` at its path or wherever it stands by now. */
export const findRecorded = async (
  at: Vcenter,
  { path, run }: { readonly path: string; readonly run: string },
  there: Machine | undefined,
  work: Work,
): Promise<Machine | undefined> =>
  there?.mark?.run === run ? there : await findByMark(at, (mark) => mark.run === run && mark.path === path, path, work);

/**
 * Finds the machine at its path or, when it was moved or renamed during a run, by its record; undefined when it is
 * nowhere. With `run` the machine that carries this run's record comes first: another one may stand at the path by now, and
 * an earlier run may have left its record of that path on a third. An account that cannot even see the datacenter has not seen that.
 */
export async function findAnywhere(at: Vcenter, path: string, work: Work, run?: string): Promise<Machine | undefined> {
  const there = await findMachine(at, path, work);
  const ours = run === undefined ? there : await findRecorded(at, { path, run }, there, work);
  const machine = ours ?? there ?? (await findByMark(at, (mark) => mark.path === path, path, work));
  if (machine || (await findByPath(at, at.datacenter, work))) return machine;
  throw machineMissing(path);
}

export async function needMachine(at: Vcenter, path: string, work: Work): Promise<Machine> {
  const machine = await findMachine(at, path, work);
  if (machine) return machine;
  throw machineMissing(path);
}

/**
 * The mover at its path, or undefined when it is gone: a machine that does not exist holds no disk. One that was moved
 * or renamed is found as the disks' holder. An account that cannot even see the datacenter has seen nothing.
 */
export async function findMover(at: Vcenter, path: string, work: Work): Promise<Machine | undefined> {
  const mover = await findMachine(at, path, work);
  if (mover || (await findByPath(at, at.datacenter, work))) return mover;
  throw machineMissing(path);
}

/** What the rest of Homeward sees: while a run holds the disks, its record of the originals stands for them. */
export function asTarget(at: Vcenter, machine: Machine): TargetMachine {
  const { name, power, powerSeen, snapshots, guest, mark } = machine;
  const shown = new Map(
    machine.disks.map(({ slot, file, sizeBytes, uuid }) => [slot, { slot, file, sizeBytes, uuid }]),
  );
  if (isOpen(mark))
    for (const { slot, file, sizeBytes, uuid } of mark.originals) shown.set(slot, { slot, file, sizeBytes, uuid });
  const place = (slot: string) => parseSlot(slot) ?? { controllerKey: -1, unit: -1 };
  const disks = [...shown.values()].sort((one, other) => bySlot(place(one.slot), place(other.slot)));
  const address = { site: at.site, path: machine.path };
  const marks = mark && { recordOf: mark.run, ...(isOpen(mark) && { markedBy: mark.run }) };
  return { address, name, power, powerSeen, disks, snapshots, guest, ...marks };
}

/** A machine that does not exist, as an observation. */
export const absentTarget = (at: Vcenter, path: string): TargetMachine => ({
  address: { site: at.site, path },
  power: 'absent',
  powerSeen: 'absent',
  disks: [],
  snapshots: 0,
  guest: { agent: 'not-installed' },
});

export interface Holder {
  readonly name: string;
  readonly ref: Ref;
  readonly disk: AttachedDisk;
}

/**
 * Every disk that hangs on a machine this account can see. A machine that cannot be read is passed over; vCenter's own
 * file lock stays behind us.
 */
export async function attachedDisks(at: Vcenter, work: Work): Promise<Holder[]> {
  const all = await readAll(at.session, 'VirtualMachine', ['name', 'config.hardware.device'], work);
  return all.flatMap(({ ref, values }) => {
    const devices = (values.get('config.hardware.device') as readonly Device[] | undefined) ?? [];
    return disksOf(devices).map((disk) => ({ name: String(values.get('name') ?? ref.value), ref, disk }));
  });
}

/** Holds the file directly, or as the base of a snapshot or clone. */
export const holdsFile = ({ disk }: Holder, file: string): boolean => disk.file === file || disk.parents.includes(file);

/** Who holds these files. */
export async function holdersOf(at: Vcenter, files: readonly string[], work: Work): Promise<Map<string, Holder[]>> {
  const attached = await attachedDisks(at, work);
  return new Map(files.map((file) => [file, attached.filter((holder) => holdsFile(holder, file))]));
}
