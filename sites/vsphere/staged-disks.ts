/**
 * New disks beside the originals: their names, their making and their removal.
 * Rule: the name is made from the original's and the run's id, so that a second try finds the first one's file, and
 * only a file so named is ever deleted (S2, S11).
 */
import { defect, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { act } from './act.ts';
import { parseDatastorePath } from './devices.ts';
import { faultBehind } from './failure.ts';
import { findByPath, type Vcenter } from './inventory.ts';
import { required } from './session.ts';
import type { Ref } from './wire/shapes.ts';

const stagedName = /-homeward-[0-9A-Za-z]{1,8}\.vmdk$/;

/** `[ds] erp-db/erp-db.vmdk` → `[ds] erp-db/erp-db-homeward-1f3a9c02.vmdk`. */
export function stagedFile(original: string, run: string): string {
  const path = parseDatastorePath(original);
  const tag = run.replace(/[^0-9A-Za-z]/g, '').slice(0, 8);
  if (!path || tag === '' || !path.file.endsWith('.vmdk'))
    throw refused({
      op: 'CreateVirtualDisk_Task',
      subject: original,
      message: `“${original}” is not a datastore path of a disk`,
      hint: 'Write it as “[datastore] folder/disk.vmdk”.',
    });
  // A disk that an earlier failback staged keeps one tag, not a growing chain of them.
  const base = path.file.replace(stagedName, '.vmdk').replace(/\.vmdk$/, '');
  return `[${path.datastore}] ${base}-homeward-${tag}.vmdk`;
}

interface DiskStore {
  readonly manager: Ref;
  readonly datacenter: Ref;
}

async function diskStore(at: Vcenter, work: Work): Promise<DiskStore> {
  const manager = required((await at.session.content(work)).virtualDiskManager, 'virtual disk manager');
  return { manager, datacenter: required(await findByPath(at, at.datacenter, work), `datacenter ${at.datacenter}`) };
}

async function exists(at: Vcenter, store: DiskStore, file: string, work: Work): Promise<boolean> {
  const { manager, datacenter } = store;
  try {
    await at.session.call('QueryVirtualDiskUuid', manager, { name: file, datacenter }, work, { subject: file });
    return true;
  } catch (error) {
    if (faultBehind(error)?.type === 'FileNotFound') return false;
    throw error;
  }
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
      send: () =>
        at.session.call(
          'CreateVirtualDisk_Task',
          store.manager,
          { name: file, datacenter: store.datacenter, spec },
          work,
          { subject: file },
        ),
    },
    work,
  );
}

/** Deletes a staged disk; already gone is as good. The caller has seen that nobody holds it. */
export async function ensureStagedFileGone(at: Vcenter, file: string, work: Work): Promise<void> {
  if (!stagedName.test(file))
    throw defect({
      op: 'DeleteVirtualDisk_Task',
      subject: file,
      message: `${file} does not carry our mark`,
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
      send: () =>
        at.session.call('DeleteVirtualDisk_Task', store.manager, { name: file, datacenter: store.datacenter }, work, {
          subject: file,
        }),
    },
    work,
  );
}
