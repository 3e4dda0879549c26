/**
 * New disks, beside the originals or in the folder of a machine we make: their names, their making and their removal.
 * Rule: the name is made from the original's and the whole of the run's id, so that a second try finds the first one's
 * file and no other run's, and only a file that a run's mark lists under such a name is ever deleted (S2, S11).
 */
import { createHash } from 'node:crypto';
import { defect, refused } from '../../model/failure.ts';
import type { WriteWay } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { act } from './act.ts';
import { parseDatastorePath } from './devices.ts';
import { faultBehind } from './failure.ts';
import { findByPath, type Vcenter } from './inventory.ts';
import type { Mark } from './marks.ts';
import { required } from './session.ts';
import type { Ref } from './wire/shapes.ts';

const stagedName = /-homeward-[0-9a-f]{16}\.vmdk$/;

/** Run ids are ordered by time: two runs of one minute begin alike, so the tag is made from all of the id. */
export const runTag = (run: string): string =>
  `-homeward-${createHash('sha256').update(run).digest('hex').slice(0, 16)}`;
const ending = (run: string): string => `${runTag(run)}.vmdk`;

/** `[ds] erp-db/erp-db.vmdk` → `[ds] erp-db/erp-db-homeward-1f3a9c02d4e5f607.vmdk`. */
export function stagedFile(original: string, run: string): string {
  const path = parseDatastorePath(original);
  if (!path || run === '' || !path.file.endsWith('.vmdk'))
    throw refused({
      op: 'CreateVirtualDisk_Task',
      subject: original,
      message: `“${original}” is not a datastore path of a disk`,
      hint: 'Write it as “[datastore] folder/disk.vmdk”.',
    });
  // A disk that an earlier failback staged keeps one tag, not a growing chain of them.
  const base = path.file.replace(stagedName, '.vmdk').replace(/\.vmdk$/, '');
  return `[${path.datastore}] ${base}${ending(run)}`;
}

/** `[ds] erp-db/erp-db.vmdk` → `[ds] erp-db-homeward-1f3a…/erp-db-homeward-1f3a….vmdk`: a folder that nobody else uses. */
export const createdFile = (planned: string, run: string): string =>
  stagedFile(planned, run).replace(/^(\[[^\]]+\] [^/]+)\//, `$1${runTag(run)}/`);

const ways: Readonly<Record<WriteWay, (file: string, run: string) => string>> = {
  'in-place': (file) => file,
  staged: stagedFile,
  created: createdFile,
};

/** The file this request writes for a pair's target: the original, the staged one beside it, or one of a new machine. */
export const writtenFile = ({ write, run }: TargetRequest, file: string): string => ways[write](file, run);

export const writtenFiles = (request: TargetRequest): string[] =>
  request.pairs.map(({ target }) => writtenFile(request, target.file));

/** A disk as it was opened: by its file, and by its UUID where anybody saw that; else ''. */
export interface KnownDisk {
  readonly file: string;
  readonly uuid: string;
}

export const writtenDisks = (request: TargetRequest): KnownDisk[] =>
  request.pairs.map(({ disk, target }) => {
    const original = request.write === 'in-place' ? target.uuid : '';
    const uuid = request.open?.find((one) => one.disk === disk)?.uuid ?? original;
    return { file: writtenFile(request, target.file), uuid };
  });

/** The staged files for these originals. Refuses when one would be another's, or an original itself. */
export function stagedFiles(originals: readonly string[], run: string): string[] {
  const staged = originals.map((file) => stagedFile(file, run));
  const twice = staged.find((file, at) => originals.includes(file) || staged.indexOf(file) !== at);
  if (twice === undefined) return staged;
  throw refused({
    op: 'CreateVirtualDisk_Task',
    subject: twice,
    message: `the new disk would be called ${twice}, which is the name of another disk of this machine`,
    hint: 'Use write: in-place, or give the machine’s disks names of their own.',
  });
}

interface DiskStore {
  readonly manager: Ref;
  readonly datacenter: Ref;
}

async function diskStore(at: Vcenter, work: Work): Promise<DiskStore> {
  const manager = required((await at.session.content(work)).virtualDiskManager, 'virtual disk manager');
  return { manager, datacenter: required(await findByPath(at, at.datacenter, work), `datacenter ${at.datacenter}`) };
}

/** `gone`: the faults that say no. */
async function exists(
  at: Vcenter,
  store: DiskStore,
  file: string,
  work: Work,
  gone: readonly string[] = ['FileNotFound'],
): Promise<boolean> {
  const { manager, datacenter } = store;
  try {
    await at.session.call('QueryVirtualDiskUuid', manager, { name: file, datacenter }, work, { subject: file });
    return true;
  } catch (error) {
    if (gone.includes(faultBehind(error)?.type ?? '')) return false;
    throw error;
  }
}

/**
 * Which of these files are there. None is on a datastore that is not there any more, or has another name by now; one that
 * is there but cannot be reached (InaccessibleDatastore) tells nothing.
 */
export async function filesThere(at: Vcenter, files: readonly string[], work: Work): Promise<string[]> {
  const store = await diskStore(at, work);
  const there: string[] = [];
  const gone = ['FileNotFound', 'InvalidDatastore'];
  for (const file of files) if (await exists(at, store, file, work, gone)) there.push(file);
  return there;
}

/** Makes a thin disk of exactly this size unless it is there already. */
export async function ensureStagedFile(at: Vcenter, file: string, sizeBytes: number, work: Work): Promise<void> {
  if (sizeBytes % 1024 !== 0)
    throw refused({
      op: 'CreateVirtualDisk_Task',
      subject: file,
      message: `a disk of ${sizeBytes} bytes cannot be made: vSphere counts in KiB`,
      hint: 'Resize the source disk to a multiple of 1 MiB.',
    });
  const store = await diskStore(at, work);
  const spec = {
    $type: 'FileBackedVirtualDiskSpec',
    diskType: 'thin',
    adapterType: 'lsiLogic',
    capacityKb: sizeBytes / 1024,
  };
  await act<boolean>(
    at.session,
    {
      op: 'CreateVirtualDisk_Task',
      subject: file,
      look: () => exists(at, store, file, work),
      done: (there) => there,
      send: (_there, settled) =>
        at.session.call(
          'CreateVirtualDisk_Task',
          store.manager,
          { name: file, datacenter: store.datacenter, spec },
          settled,
          { subject: file },
        ),
    },
    work,
  );
}

/** Whether the mark's run made this file: listed, named by that run, and no original. */
const isStagedBy = (mark: Mark, file: string): boolean =>
  mark.staged.includes(file) && file.endsWith(ending(mark.run)) && !mark.originals.some((one) => one.file === file);

/** Asked before anything is unplugged: a record that calls another disk staged is not followed. */
export function needOnlyStaged(mark: Mark, machine: { readonly name: string; readonly path: string }): void {
  const odd = mark.staged.find((file) => !isStagedBy(mark, file));
  if (odd === undefined) return;
  throw refused({
    op: 'DeleteVirtualDisk_Task',
    subject: machine.path,
    message: `the record on ${machine.name} says that run ${mark.run} staged ${odd}, but that is no name of its making`,
    hint: 'Somebody changed the homeward.staged.* settings of the machine: correct or remove the odd one, then retry.',
  });
}

/** Deletes a disk that this mark's run staged; already gone is as good. The caller has seen that nobody holds it. */
export async function ensureStagedFileGone(at: Vcenter, mark: Mark, file: string, work: Work): Promise<void> {
  if (!isStagedBy(mark, file))
    throw defect({
      op: 'DeleteVirtualDisk_Task',
      subject: file,
      message: `${file} is no disk that run ${mark.run} staged`,
      hint: 'Report this: Homeward was about to delete a disk that is not its own.',
    });
  const store = await diskStore(at, work);
  await act<boolean>(
    at.session,
    {
      op: 'DeleteVirtualDisk_Task',
      subject: file,
      look: () => exists(at, store, file, work),
      done: (there) => !there,
      send: (_there, settled) =>
        at.session.call(
          'DeleteVirtualDisk_Task',
          store.manager,
          { name: file, datacenter: store.datacenter },
          settled,
          {
            subject: file,
          },
        ),
    },
    work,
  );
}
