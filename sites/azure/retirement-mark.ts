/**
 * The mark on a disk that says: this run itself is deleting the machine it hung on, whose disks it has just looked at.
 * Rule (S2): it is written only while the whole machine is seen as it came home, right before our own deletion, and taken
 * off again when the machine is seen otherwise. A disk of a machine that is gone is deleted by this mark alone.
 * Never drops a tag that somebody else put there.
 */
import type { Disk } from '@azure/arm-compute';
import type { Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { runOperation } from './long-running.ts';

const tag = 'homeward-retiring';

/** The mark as an operator reads and writes it. */
export const retiringMark = (run: string): string => `${tag}=${run}`;

export const isRetiring = (disk: Disk, run: string): boolean => disk.tags?.[tag] === run;

export async function markRetiring(azure: AzureClients, seen: Disk, run: string, work: Work): Promise<void> {
  if (!isRetiring(seen, run)) await writeTags(azure, seen, { ...seen.tags, [tag]: run }, work);
}

export async function unmarkRetiring(azure: AzureClients, seen: Disk, run: string, work: Work): Promise<void> {
  if (!isRetiring(seen, run)) return;
  const { [tag]: _ours, ...others } = seen.tags ?? {};
  await writeTags(azure, seen, others, work);
}

/** Azure replaces all tags of a resource by those that are sent. */
async function writeTags(
  azure: AzureClients,
  { id = '' }: Disk,
  tags: Record<string, string>,
  work: Work,
): Promise<void> {
  const { resourceGroup, name } = parseId(id);
  await runOperation<unknown>(
    { op: 'disks.update', subject: name },
    work,
    (call) => azure.compute.disks.update(resourceGroup, name, { tags }, call),
    (failure) => Promise.reject(failure),
  );
}
