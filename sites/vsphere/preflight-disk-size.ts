/**
 * The check whether a datastore can hold virtual disks as large as those that are to be made there.
 * Rule: what vCenter says of the datastore itself counts (it differs between the kinds and versions of file systems), and the
 * limit of vSphere always. Disks that are there already are held against the source's instead.
 */
import type { Check } from '../../model/check.ts';
import { check } from './check-outcome.ts';

/** The largest virtual disk of vSphere 6 to 8. */
export const largestDiskBytes = 62 * 2 ** 40;

export interface NewDisk {
  /** For people. */
  readonly name: string;
  readonly sizeBytes: number;
}

interface Store {
  readonly name: string;
  readonly largestDiskBytes: number | undefined;
}

export function largestDiskCheck(store: Store, disks: readonly NewDisk[]): Check {
  const limit = Math.min(largestDiskBytes, store.largestDiskBytes ?? largestDiskBytes);
  const tooLarge = disks.filter(({ sizeBytes }) => sizeBytes > limit);
  return check({
    id: 'datastore-largest-disk',
    subject: store.name,
    wrong:
      tooLarge.length > 0
        ? `a virtual disk there has at most ${limit} bytes: ${tooLarge.map(({ name, sizeBytes }) => `${name} would have ${sizeBytes}`).join(', ')}`
        : undefined,
    right: `a virtual disk there may have ${limit} bytes`,
    remedy:
      limit < largestDiskBytes
        ? 'Use a datastore that takes disks as large (its file system decides), or split the disk inside the source onto smaller ones.'
        : 'Split the disk inside the source onto smaller ones: vSphere has no virtual disk over 62 TiB.',
  });
}
