/**
 * Lists of changes made shorter, where there are more ranges than memory is meant for.
 * Rule: S9 S10, what lies between two ranges that become one, a cleared range too, is read from the point with them and never
 * taken for zeros; nothing that was named is lost. The nearest are joined first, and no more of them than must be.
 */
import { joinGapBytes } from './block-plan.ts';
import type { Range } from './geometry.ts';
import { RangeList } from './range-list.ts';

export interface NamedRanges {
  readonly data: RangeList;
  readonly zero: RangeList;
}

interface Piece extends Range {
  readonly kind: keyof NamedRanges;
}

export const rangesIn = ({ data, zero }: NamedRanges): number => data.count + zero.count;

/** All that the lists name, in `most` ranges or fewer; `most` is at least one. In any order, and they may overlap. */
export function coarser(named: NamedRanges, most: number): NamedRanges {
  const data = named.data.merged();
  let lists: NamedRanges = { data, zero: named.zero.merged().minus(data) };
  for (let moreBytes = 2 * joinGapBytes; rangesIn(lists) > most; moreBytes *= 2)
    lists = joinNear(lists, moreBytes, most);
  return lists;
}

/** Joins neighbours for which less than `moreBytes` is read besides, from the front, until there are only `most`. */
function joinNear(lists: NamedRanges, moreBytes: number, most: number): NamedRanges {
  const out = { data: new RangeList(), zero: new RangeList() };
  let tooMany = rangesIn(lists) - most;
  let last: Piece | undefined;
  for (const piece of inOrder(lists)) {
    if (last !== undefined && tooMany > 0 && piece.start - last.end + cleared(last) + cleared(piece) < moreBytes) {
      last = { kind: 'data', start: last.start, end: piece.end };
      tooMany--;
      continue;
    }
    if (last !== undefined) out[last.kind].add(last.start, last.end);
    last = piece;
  }
  if (last !== undefined) out[last.kind].add(last.start, last.end);
  return out;
}

const cleared = ({ kind, start, end }: Piece): number => (kind === 'zero' ? end - start : 0);

function* inOrder({ data, zero }: NamedRanges): Generator<Piece, void, undefined> {
  for (let [d, z] = [0, 0]; d < data.count || z < zero.count; ) {
    if (data.at(d).start < zero.at(z).start) yield { kind: 'data', ...data.at(d++) };
    else yield { kind: 'zero', ...zero.at(z++) };
  }
}
