/**
 * S3: what is said of disks that were read back through the mover's page cache, because the file system they lie on refuses
 * direct I/O: the kernel gave back what it was given, and what the storage holds nobody has seen. Pure.
 */
import type { DiskKey } from './machine.ts';

interface ReadBack {
  readonly disk: DiskKey;
  readonly cached?: true;
}

export const cachedDisks = (proofs: readonly ReadBack[]): DiskKey[] =>
  proofs.filter(({ cached }) => cached).map(({ disk }) => disk);

const howRead =
  'read back through the mover’s page cache and not from the storage itself, because its file system takes no direct I/O';

/** Of a sealed disk, in the record. */
export function sealedText({ cached }: Pick<ReadBack, 'cached'>): string {
  const but = cached ? `; but it was ${howRead}` : '';
  return `the disk is sealed: every block proven, boot sectors written last${but}`;
}

/** Before the commit; undefined where there is nothing to say. */
export function cachedText(disks: readonly DiskKey[]): string | undefined {
  if (disks.length === 0) return undefined;
  return `${disks.join(', ')} ${disks.length === 1 ? 'was' : 'were'} ${howRead}. Look at what the machine holds before you commit.`;
}

/** Behind the figures of a round. */
export const roundReadBack = (disks: readonly DiskKey[] = []): string =>
  disks.length === 0 ? '' : `; read back through the page cache only: ${disks.join(', ')}`;

/** What helps before a run. */
export const directInstead = (mover: string, datastore: string): string =>
  `Mount ${datastore} by a file system that takes O_DIRECT, or take it out of movers.${mover}.datastores in homeward.yaml, so that its disks are plugged into the mover; then start the mover again.`;
