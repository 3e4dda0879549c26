/**
 * Page lists of an exported disk, whole or as a diff to an older snapshot, paged and clipped.
 * Rule: a diff follows every rule of the service: an older point, the same family, both grants live, not across a resize
 * over 4 TB; pages and clears come interleaved, in offset order.
 * Never looks at content.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { askedRange, type BlobAnswer, markerOffset, pageSize, version } from './blob-request.ts';
import { type ExportedDisk, footerBytes } from './exported-disk.ts';
import type { FaultAction } from './faults.ts';
import type { Change, Range } from './intervals.ts';
import { type PageEntry, pageListXml } from './page-list-xml.ts';
import { Refusal } from './refusal.ts';
import type { World } from './world.ts';

const resizeBorder = 4 * 1024 ** 4;
/** From this version on a list can be asked for in parts. */
const pagedSince = '2020-10-02';
const diffSince = '2019-07-07';

export function pageList(
  world: World,
  exported: ExportedDisk,
  url: URL,
  headers: IncomingHttpHeaders,
  { splitBytes = Number.POSITIVE_INFINITY, netList = false }: Pick<FaultAction, 'splitBytes' | 'netList'> = {},
): Required<BlobAnswer> {
  const total = exported.sizeBytes + footerBytes;
  const { searchParams } = url;
  if (searchParams.has('prevsnapshot'))
    throw new Refusal(400, 'InvalidQueryParameterValue', 'prevsnapshot is for snapshots of ordinary blobs.');
  const paged = version(headers) >= pagedSince;
  const most = paged ? pageSize(searchParams.get('maxresults')) : Number.POSITIVE_INFINITY;
  const marker = paged ? markerOffset(searchParams.get('marker')) : 0;
  const asked = askedRange(headers, total) ?? { from: 0, to: total };
  const window = { from: Math.max(asked.from, marker), to: asked.to };
  const listed = entriesIn(world, exported, window, headers, netList);
  const entries = listed.flatMap((entry) => split(entry, splitBytes));
  const shown = entries.slice(0, most);
  const next = entries.length > shown.length ? String(entries[shown.length]?.from ?? '') : '';
  return {
    status: 200,
    headers: { 'Content-Type': 'application/xml', 'x-ms-blob-content-length': String(total) },
    body: Buffer.from(pageListXml(shown, next)),
  };
}

const entriesOf = (kind: PageEntry['kind'], ranges: readonly Range[]): PageEntry[] =>
  ranges.map((range) => ({ kind, ...range }));

function split({ kind, from, to }: PageEntry, most: number): PageEntry[] {
  if (to - from <= most) return [{ kind, from, to }];
  return [{ kind, from, to: from + most }, ...split({ kind, from: from + most, to }, most)];
}

function entriesIn(
  world: World,
  exported: ExportedDisk,
  window: Range,
  headers: IncomingHttpHeaders,
  netList: boolean,
): PageEntry[] {
  const { sizeBytes } = exported;
  const [from, to] = [window.from, Math.min(window.to, sizeBytes)];
  const previous = headers['x-ms-previous-snapshot-url'];
  if (previous !== undefined) {
    const { change, before } = changeSince(world, exported, String(previous), version(headers));
    const pages = entriesOf('page', change.written.within(from, to));
    const heldData = netList ? before(from, to) : [{ from, to }];
    const cleared = heldData.flatMap((held) => change.cleared.within(held.from, held.to));
    return [...pages, ...entriesOf('clear', cleared)].sort((a, b) => a.from - b.from);
  }
  // Whether the real service lists the footer's page is disputed; a client has to cope with it being there.
  const footer = { from: Math.max(window.from, sizeBytes), to: window.to };
  return [
    ...entriesOf('page', exported.mapped(from, to)),
    ...(footer.to > footer.from ? entriesOf('page', [footer]) : []),
  ];
}

function previousUrl(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new Refusal(400, 'InvalidHeaderValue', 'The value of x-ms-previous-snapshot-url is not a URL.');
}

/** What changed since an older snapshot, and what may have held data then. */
interface Since {
  readonly change: Change;
  before(from: number, to: number): Range[];
}

function changeSince(world: World, { snapshot }: ExportedDisk, text: string, wire: string): Since {
  if (wire < diffSince)
    throw new Refusal(409, 'FeatureVersionMismatch', `The operation needs x-ms-version ${diffSince} or later.`);
  if (!snapshot)
    throw new Refusal(
      400,
      'UnsupportedHeaderForNonManagedDisksAccount',
      'x-ms-previous-snapshot-url is for snapshots of managed disks.',
    );
  const grant = world.grants.check(previousUrl(text));
  const previous = [...world.snapshots.values()].find((one) => `snapshot/${one.uniqueId}` === grant.on);
  if (previous?.source !== snapshot.source)
    throw new Refusal(409, 'PreviousSnapshotNotFound', 'The previous snapshot is of another incremental family.');
  const { data } = snapshot.source;
  if (!data.isOlder(previous.uniqueId, snapshot.uniqueId))
    throw new Refusal(409, 'PreviousSnapshotCannotBeNewer', 'The previous snapshot must be older than the snapshot.');
  const [before, after] = [data.snapshotSize(previous.uniqueId), data.snapshotSize(snapshot.uniqueId)];
  if (before <= resizeBorder && after > resizeBorder)
    throw new Refusal(
      409,
      'PreviousSnapshotOperationNotSupported',
      'The disk grew over 4 TB between the snapshots; read the whole snapshot.',
    );
  return {
    change: data.changesBetween(previous.uniqueId, snapshot.uniqueId),
    before: (from, to) => data.mappedRanges(previous.uniqueId, from, to),
  };
}
