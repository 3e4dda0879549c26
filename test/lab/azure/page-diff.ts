/**
 * The whole diff of two managed-disk snapshots, by the only SDK call that sends the header for it.
 * Rule: the call takes no marker, so a window whose answer is cut short is split until nothing is cut.
 * Never uses `count` as a length: the SDK's is the end minus the start, one byte short.
 */
import type { PageBlobClient } from '@azure/storage-blob';

/** `start` and `end` are both inside, as on the wire. */
export interface DiffPage {
  readonly start: number;
  readonly end: number;
  readonly isClear: boolean;
}

export async function getPagesOfDiff(
  blob: PageBlobClient,
  previous: string,
  window: { readonly offset: number; readonly count: number },
): Promise<DiffPage[]> {
  const { offset, count } = window;
  const answer = await blob.getPageRangesDiffForManagedDisks(offset, count, previous);
  if ((answer as { continuationToken?: string }).continuationToken) {
    const half = Math.ceil(count / 1024) * 512;
    const first = await getPagesOfDiff(blob, previous, { offset, count: half });
    return [...first, ...(await getPagesOfDiff(blob, previous, { offset: offset + half, count: count - half }))];
  }
  const pages = (list: typeof answer.pageRange, isClear: boolean): DiffPage[] =>
    (list ?? []).map((range) => ({ start: range.offset, end: range.offset + (range.count ?? 0), isClear }));
  return [...pages(answer.pageRange, false), ...pages(answer.clearRange, true)].sort((a, b) => a.start - b.start);
}
