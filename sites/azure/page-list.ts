/**
 * Reads which parts of a snapshot hold data, or changed since an older one: Get Page Ranges on its SAS.
 * Rule: this is the one file that knows inclusive ends; everything beyond it is half-open. Both lists count, read and
 * cleared (S10), in pieces until the service says there is no more.
 * Own GET, because the SDK drops the marker of a managed disk's diff and counts one byte short.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Extent } from '../../disk/point-reader.ts';
import { corrupt, type Failure, transient } from '../../model/failure.ts';
import type { What } from './call.ts';
import { getFromSnapshot, type OpenSnapshot } from './snapshot-get.ts';

/** Entries of one piece. The service allows 10,000; fewer keep one answer small. */
export const entriesAPiece = 1_000;
const longestPieceBytes = 1024 * 1024;
const pageBytes = 512;

/** All ranges within [0, sizeBytes): what lies beyond is the container's footer and is dropped. */
export async function* pageList(
  open: OpenSnapshot,
  sizeBytes: number,
  signal: AbortSignal,
  maxResults = entriesAPiece,
): AsyncGenerator<Extent> {
  const what = { op: 'get page ranges', subject: open.lease.name };
  const seen = new Set<string>();
  let marker = '';
  do {
    const query = { comp: 'pagelist', maxresults: String(maxResults), ...(marker === '' ? {} : { marker }) };
    const piece = await getFromSnapshot(open, { what, query }, signal, async (answer) =>
      parsePageList(await answer.text(longestPieceBytes), what),
    );
    for (const extent of piece.extents) {
      const clipped = clip(extent, sizeBytes);
      if (clipped !== undefined) yield clipped;
    }
    marker = piece.next;
    if (marker !== '' && seen.has(marker)) throw bad(what, 'the same piece was announced twice');
    seen.add(marker);
  } while (marker !== '');
}

export interface PageListPiece {
  readonly extents: readonly Extent[];
  /** Empty when this was the last piece. */
  readonly next: string;
}

/** One element or text by its name, in the order of the document: what nobody expects must not vanish. */
type Part = readonly [name: string, inside: unknown];

const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  processEntities: true,
  preserveOrder: true,
});

const partsOf = (inside: unknown): Part[] =>
  (Array.isArray(inside) ? inside : []).flatMap((each: object) => Object.entries(each));

/** The text of an element that holds nothing else. Throws Corrupt. */
function textOf(inside: unknown, what: What): string {
  const parts = partsOf(inside);
  const [name, text] = parts[0] ?? ['#text', ''];
  if (parts.length > 1 || name !== '#text') throw bad(what, 'it holds elements where a text belongs');
  return String(text);
}

const kinds: ReadonlyMap<string, Extent['kind']> = new Map([
  ['PageRange', 'data'],
  ['ClearRange', 'zero'],
]);

const opening = /^\uFEFF?(?:<\?xml[^<>]*\?>)?\s*<PageList>/;
const plainRange =
  /\s*<(PageRange|ClearRange)>\s*<Start>\s*(\d{1,16})\s*<\/Start>\s*<End>\s*(\d{1,16})\s*<\/End>\s*<\/\1>/y;

/** As written: what it says is looked at once the answer is known to be whole. */
type Named = readonly [kind: Extent['kind'], start: string, last: string];

/**
 * The plain ranges right behind the beginning, and the document without them. A thousand of them as a tree are 8 MiB and 15 ms;
 * whatever is not plain, wherever it stands, and all behind it, is left to the parser.
 */
function plainRanges(text: string): { named: Named[]; rest: string } {
  const named: Named[] = [];
  const [begun] = opening.exec(text) ?? [];
  if (begun === undefined) return { named, rest: text };
  plainRange.lastIndex = begun.length;
  let end = begun.length;
  for (let found = plainRange.exec(text); found !== null; found = plainRange.exec(text)) {
    const [, element = '', start = '', last = ''] = found;
    named.push([kinds.get(element) ?? 'data', start, last]);
    end = plainRange.lastIndex;
  }
  return { named, rest: begun + text.slice(end) };
}

/** Reads one answer. Throws Transient when it is not whole, Corrupt when it makes no sense or holds more than is known. */
export function parsePageList(text: string, what: What): PageListPiece {
  const { named, rest } = plainRanges(text);
  const xml = rest.replace(/^\uFEFF/, '');
  if (XMLValidator.validate(xml) !== true)
    throw transient({
      ...what,
      message: `the page list of ${what.subject} arrived incomplete`,
      hint: 'The connection broke in the middle of the answer: Homeward asks again.',
    });
  const roots = partsOf(parser.parse(xml)).filter(([name]) => name !== '?xml');
  if (roots.length !== 1 || roots[0]?.[0] !== 'PageList') throw bad(what, 'the answer is no page list');
  const extents = named.map(([kind, start, last]) => extent(kind, start, last, what));
  let next: string | undefined;
  for (const [name, inside] of partsOf(roots[0][1])) {
    const kind = kinds.get(name);
    if (kind !== undefined) extents.push(extentOf(inside, kind, what));
    else if (name !== 'NextMarker') throw bad(what, 'it holds something that is neither a range nor a marker');
    else if (next !== undefined) throw bad(what, 'it holds two markers');
    else next = textOf(inside, what);
  }
  const of = (kind: Extent['kind']): Extent[] => extents.filter((extent) => extent.kind === kind);
  return { extents: [...of('data'), ...of('zero')], next: next ?? '' };
}

function extentOf(entry: unknown, kind: Extent['kind'], what: What): Extent {
  const parts = partsOf(entry);
  const one = (name: string): unknown => parts.find(([each]) => each === name)?.[1];
  const found = extent(kind, textOf(one('Start'), what), textOf(one('End'), what), what);
  if (parts.length !== 2) throw bad(what, 'a range holds more than its start and its end');
  return found;
}

/** `last` is the last byte of the range, not the first behind it. */
function extent(kind: Extent['kind'], from: string, to: string, what: What): Extent {
  const [start, last] = [wholeNumber(from), wholeNumber(to)];
  if (start === undefined || last === undefined || last < start) throw bad(what, 'a range has no start or no end');
  if (start % pageBytes !== 0 || (last + 1) % pageBytes !== 0) throw bad(what, 'a range is not made of whole pages');
  return { offset: start, length: last + 1 - start, kind };
}

function wholeNumber(value: string): number | undefined {
  if (!/^\d{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function clip({ offset, length, kind }: Extent, sizeBytes: number): Extent | undefined {
  const end = Math.min(offset + length, sizeBytes);
  return end > offset ? { offset, length: end - offset, kind } : undefined;
}

const bad = (what: What, seen: string): Failure =>
  corrupt({
    ...what,
    message: `the page list of ${what.subject} makes no sense: ${seen}`,
    hint: 'Azure or something between answers wrongly: keep the run, look at the proxy, then retry.',
  });
