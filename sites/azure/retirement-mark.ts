/**
 * The mark on a disk that says: this run itself is deleting the machine it hung on, whose disks it has just looked at.
 * Rule (S2): it is written only while the whole machine is seen as it came home, right before our own deletion, with the
 * moment of it, and taken off again when the machine is seen otherwise or its deletion is refused. A disk of a machine
 * that is gone is deleted by this mark alone, and only if nobody took or let go of the disk long after that moment.
 * Never drops a tag that somebody else put there.
 */
import type { Disk } from '@azure/arm-compute';
import type { Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { runOperation } from './long-running.ts';

const tag = 'homeward-retiring';

/**
 * So long after our mark Azure may still be at our deletion of a deallocated machine. A worker may die between mark and
 * deletion and leave its mark behind; whoever lets go of the disk later than this was somebody else.
 */
const deletionMs = 10 * 60_000;

/** The mark as an operator writes it: a person's word, which needs no moment. */
export const retiringMark = (run: string): string => `${tag}=${run}`;

const timed = (run: string): string => `${run}@`;

/** Whether the disk carries the mark of this run, whatever it is worth. */
const isRetiring = (disk: Disk, run: string): boolean => {
  const mark = disk.tags?.[tag];
  return mark === run || mark?.startsWith(timed(run)) === true;
};

/** Whether the mark tells that it was this run that took the machine from the disk. What Azure does not tell is a no. */
export function tellsOurDeletion(disk: Disk, run: string): boolean {
  const mark = disk.tags?.[tag];
  if (mark === run) return true;
  if (!mark?.startsWith(timed(run))) return false;
  const markedAt = Date.parse(mark.slice(timed(run).length));
  const letGoAt = disk.lastOwnershipUpdateTime?.getTime() ?? Number.NaN;
  return letGoAt <= markedAt + deletionMs;
}

/** Marks the disk with this moment, also when an earlier try has marked it: that one's deletion did not come about. */
export async function markRetiring(azure: AzureClients, seen: Disk, run: string, work: Work): Promise<void> {
  await writeTags(azure, seen, { ...seen.tags, [tag]: `${timed(run)}${new Date().toISOString()}` }, work);
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
