/**
 * Makes the machine of an alternate location, finds it again, and removes it.
 * Rule: it is made without a disk and with the run's record in it, in one call, so that at no moment a machine of ours
 * exists that could boot or that nobody knows (S4, S11). It is known by its record and by its folder, never by its name.
 * Never destroys a machine that holds a disk, that runs, or whose folder is not the run's.
 */
import type { NewMachine } from '../../model/creation.ts';
import { nameAt } from '../../model/creation.ts';
import { type Failure, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { act } from './act.ts';
import { type Compute, findCompute, hostWrong } from './compute.ts';
import { parseDatastorePath } from './devices.ts';
import { needQuietTarget } from './disk-guards.ts';
import { findByPath, findMachine, lookAt, type Machine, type Vcenter } from './inventory.ts';
import { readMark } from './marks.ts';
import { createdFolder, needPlan, cannotMake as no, specOf } from './new-machine-spec.ts';
import { mountOn, readDatastores } from './preflight-surroundings.ts';
import { readAll } from './properties.ts';
import { settle } from './tasks.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export const folderOf = (path: string): string => path.replace(/\/+[^/]+\/*$/, '');

/** Another name than the requested one is taken from here on; 99 machines of one name are a mistake of somebody's. */
const lastSuffix = 99;

/** The name under which the machine can be made now: its own, or the next free one where the policy allows it. */
export async function freeName(
  at: Vcenter,
  path: string,
  { onNameClash }: NewMachine,
  work: Work,
): Promise<string | undefined> {
  const name = nameAt(path);
  const taken = async (candidate: string): Promise<boolean> =>
    (await findByPath(at, `${folderOf(path)}/${candidate}`, work)) !== undefined;
  if (!(await taken(name))) return name;
  if (onNameClash === 'refuse') return undefined;
  for (let number = 2; number <= lastSuffix; number++)
    if (!(await taken(`${name}-${number}`))) return `${name}-${number}`;
  return undefined;
}

/** Whether a machine's own folder is the one this run makes: also where somebody took its record off. */
const liesInFolder = (settingsFile: string, path: string, run: string): boolean =>
  parseDatastorePath(settingsFile)?.file.split('/')[0] === createdFolder(path, run);

/** The machine this run has made, wherever it stands by now; undefined when there is none. Refuses when there are two. */
export async function findCreated(
  at: Vcenter,
  { path, run }: Pick<TargetRequest, 'path' | 'run'>,
  work: Work,
): Promise<Machine | undefined> {
  const there = await findMachine(at, path, work);
  if (there?.mark?.run === run && there.mark.path === path) return there;
  const all = await readAll(
    at.session,
    'VirtualMachine',
    ['name', 'config.extraConfig', 'config.files.vmPathName'],
    work,
  );
  const found = all.filter(({ values }) => {
    const mark = readMark((values.get('config.extraConfig') as readonly Vim<'OptionValue'>[] | undefined) ?? []);
    const marked = mark?.run === run && mark.path === path;
    return marked || liesInFolder(String(values.get('config.files.vmPathName') ?? ''), path, run);
  });
  const [one, second] = found;
  if (!one) return undefined;
  if (!second) return lookAt(at, one.ref, path, work);
  throw refused({
    op: 'find machine',
    subject: path,
    message: `several machines carry the record of this run: ${found.map(({ values }) => values.get('name')).join(', ')}`,
    hint: 'One is a copy of the other: remove the homeward.* settings from the copy, then retry.',
  });
}

/** Where the machine is to be made, as it was found just now. */
interface Site {
  readonly folder: Ref;
  readonly compute: Compute;
  readonly host: Ref;
}

async function findPlace(at: Vcenter, path: string, plan: NewMachine, work: Work): Promise<Site> {
  const folder = await findByPath(at, folderOf(path), work);
  const checkAgain = 'Correct the inventory, or make it in vCenter, and see what homeward preflight says; then retry.';
  if (folder?.type !== 'Folder') throw no(path, `no folder stands at ${folderOf(path)}`, checkAgain);
  const compute = await findCompute(at, plan.compute, work);
  if (!compute) throw no(plan.compute, `no host, cluster or resource pool stands at ${plan.compute}`, checkAgain);
  const host = await chooseHost(at, compute, plan, work);
  if (!host) throw no(plan.compute, `no host of ${plan.compute} has what the machine needs`, checkAgain);
  return { folder, compute, host };
}

export async function chooseHost(
  at: Vcenter,
  { hosts }: Compute,
  { nics, datastore, cpus, memoryMiB, prove }: NewMachine,
  work: Work,
): Promise<Ref | undefined> {
  const apart = prove && at.isolatedNetwork !== undefined ? [at.isolatedNetwork] : [];
  const needs = { networks: [...nics.map((nic) => nic.network), ...apart], cpus, memoryMiB };
  for (const host of hosts.filter((one) => hostWrong(one, needs) === undefined)) {
    const [store] = await readDatastores(at, new Set([datastore]), host.ref, work);
    if (store && mountOn(store, host.ref)?.accessMode === 'readWrite') return host.ref;
  }
  return undefined;
}

/** Makes the machine unless the run has made it already. It holds no disk and is off. */
export async function ensureMachineMade(at: Vcenter, request: TargetRequest, work: Work): Promise<Machine> {
  const plan = needPlan(request);
  const { path } = request;
  const before = await findCreated(at, request, work);
  if (before) return before;
  const { folder, compute, host } = await findPlace(at, path, plan, work);
  work.report(`making ${nameAt(path)}`);
  const made = await act<Machine | undefined>(
    at.session,
    {
      op: 'CreateVM_Task',
      subject: path,
      // A try whose answer was lost may still be at it: its machine shows itself when the folder is quiet.
      entity: folder,
      look: () => findCreated(at, request, work),
      done: (seen) => seen !== undefined,
      send: async (_seen, settled) => {
        const name = await freeName(at, path, plan, settled);
        if (name === undefined) throw nameTaken(path, plan);
        await needFreeUuid(at, plan, path, settled);
        const config = await specOf(at, request, name, compute, settled);
        return at.session.call('CreateVM_Task', folder, { config, pool: compute.pool, host }, settled, {
          subject: path,
        });
      },
    },
    work,
  );
  if (made) return made;
  throw no(path, 'the machine was made and is gone again', 'Find out in vCenter who removed it, then retry.');
}

const nameTaken = (path: string, { onNameClash }: NewMachine): Failure =>
  no(
    path,
    `a machine stands at ${path} already${onNameClash === 'suffix' ? `, and all names up to ${nameAt(path)}-${lastSuffix} are taken` : ''}`,
    'Choose another folder or name in target.path, or onNameClash: suffix, or remove the machine that stands there once you know that nobody needs it.',
  );

/** Machines that carry this BIOS UUID, by name. */
export async function holdersOfUuid(at: Vcenter, biosUuid: string, work: Work): Promise<Machine[]> {
  const search = (await at.session.content(work)).searchIndex;
  if (!search) return [];
  const refs = await at.session.call('FindAllByUuid', search, { uuid: biosUuid, vmSearch: true }, work);
  const holders: Machine[] = [];
  for (const ref of refs) holders.push(await lookAt(at, ref, ref.value, work));
  return holders;
}

export const nameHolders = (holders: readonly Machine[]): string => holders.map(({ name }) => name).join(', ');

export const uuidRemedy =
  'Unregister or remove that machine when it is the lost original, or leave create.biosUuid out to get a new one.';

async function needFreeUuid(at: Vcenter, { biosUuid }: NewMachine, path: string, work: Work): Promise<void> {
  const holders = biosUuid === undefined ? [] : await holdersOfUuid(at, biosUuid, work);
  if (holders.length > 0)
    throw no(path, `BIOS UUID ${biosUuid} belongs to ${nameHolders(holders)} already`, uuidRemedy);
}

/** Waits for what runs in the folder, so that a try whose answer was lost has ended before it is looked for. */
export async function settleFolder(at: Vcenter, path: string, work: Work): Promise<void> {
  const folder = await findByPath(at, folderOf(path), work);
  if (folder) await settle(at.session, folder, path, work);
}

/** Removes the machine this run made, with its folder. Gone is as good. The caller has deleted its disks before. */
export async function ensureMachineGone(at: Vcenter, request: TargetRequest, work: Work): Promise<void> {
  const { run, path } = request;
  await act<Machine | undefined>(
    at.session,
    {
      op: 'Destroy_Task',
      subject: path,
      look: () => findCreated(at, request, work),
      done: (seen) => seen === undefined,
      send: async (seen, settled) => {
        if (!seen) return undefined;
        needEmpty(seen, run);
        return at.session.call('Destroy_Task', seen.ref, {}, settled, { subject: path });
      },
    },
    work,
  );
}

/** What is destroyed takes its disks along, so nothing may hang there, and it must be the machine of this run. */
function needEmpty(machine: Machine, run: string): void {
  needQuietTarget(machine);
  const hint = 'Detach its disks in the vSphere Client (keep their files) if they are to stay, then retry.';
  const held = machine.disks.map((disk) => disk.file);
  if (held.length > 0)
    throw refused({
      op: 'Destroy_Task',
      subject: machine.path,
      message: `${machine.name} holds ${held.join(', ')}, which this run did not make`,
      hint,
    });
  if (
    machine.mark?.run === run &&
    machine.mark.way === 'created' &&
    liesInFolder(machine.settingsFile, machine.path, run)
  )
    return;
  throw refused({
    op: 'Destroy_Task',
    subject: machine.path,
    message: `${machine.name} does not carry the record of the machine that run ${run} made`,
    hint: 'Somebody changed its homeward.* settings or moved its files: remove the machine by hand when it is not needed, then retry, or leave the step out with skip.',
  });
}
