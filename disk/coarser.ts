/**
 * Lists of changes made shorter: where there are more ranges than memory is meant for, and where a block has too many.
 * Rule: S9 S10, what lies between two ranges that become one, a cleared range too, is read from the point with them and never
 * taken for zeros; nothing that was named is lost. The nearest are joined first, by powers of two, and no more of them than
 * must be. L5: in the memory that the lists have already, and in turns with others.
 */
import { type Piece, RangeList } from './range-list.ts';
import { Turn } from './turn.ts';

export interface NamedRanges {
  readonly data: RangeList;
  readonly zero: RangeList;
}

/** A range of one of the lists. */
export interface Named {
  kind: keyof NamedRanges;
  start: number;
  end: number;
}

export const rangesIn = ({ data, zero }: NamedRanges): number => data.count + zero.count;

/**
 * All that the lists name, in `most` ranges or fewer; `most` is at least one. They are in order and nothing is in both; they are
 * used up, and what is over of their memory is `spare`.
 */
export async function coarser(lists: NamedRanges, most: number, spare: Piece[]): Promise<NamedRanges> {
  let tooMany = rangesIn(lists) - most;
  if (tooMany <= 0) return lists;
  const turn = new Turn();
  const { widest, ofWidest } = farthest(await countByWidth(lists, turn), tooMany);
  let left = ofWidest;
  const out = { data: new RangeList(spare), zero: new RangeList(spare) };
  const pairs = new Pairs(lists, spare);
  pairs.next();
  while (pairs.next()) {
    if (turn.isOver()) await turn.next();
    const { before, behind } = pairs;
    const width = widthOf(before, behind);
    if (tooMany > 0 && (width < widest || (width === widest && left-- > 0))) {
      behind.kind = 'data';
      behind.start = before.start;
      tooMany--;
    } else out[before.kind].add(before.start, before.end);
  }
  const { kind, start, end } = pairs.behind;
  out[kind].add(start, end);
  return out;
}

/** The same of pieces that are few, in any order; nothing is in two. The very nearest are joined. */
export function inFewer(pieces: readonly Named[], most: number): Named[] {
  const all = pieces.toSorted((one, other) => one.start - other.start);
  const pairs = all.slice(1).map((behind, at) => ({ behind, bytes: besides(all[at] ?? behind, behind) }));
  const nearest = pairs.toSorted((one, other) => one.bytes - other.bytes).slice(0, Math.max(0, all.length - most));
  const joined = new Set(nearest.map(({ behind }) => behind));
  const out: Named[] = [];
  for (const piece of all) {
    const last = out.at(-1);
    if (last && joined.has(piece)) Object.assign(last, { kind: 'data', end: piece.end });
    else out.push({ ...piece });
  }
  return out;
}

/** As a power of two. */
const widthOf = (before: Named, behind: Named): number => Math.floor(Math.log2(1 + besides(before, behind)));

/** What is read besides where two neighbours are read as one, in bytes. A join before makes it less, never more. */
const besides = (before: Named, behind: Named): number => behind.start - before.end + cleared(before) + cleared(behind);

const cleared = ({ kind, start, end }: Named): number => (kind === 'zero' ? end - start : 0);

async function countByWidth(lists: NamedRanges, turn: Turn): Promise<number[]> {
  const counts = Array.from({ length: 64 }, () => 0);
  const pairs = new Pairs(lists);
  pairs.next();
  while (pairs.next()) {
    if (turn.isOver()) await turn.next();
    const width = widthOf(pairs.before, pairs.behind);
    counts[width] = (counts[width] ?? 0) + 1;
  }
  return counts;
}

/** How far apart neighbours are joined so that `joins` of them are, and how many of those that are just so far. */
function farthest(counts: readonly number[], joins: number): { widest: number; ofWidest: number } {
  let [widest, ofWidest] = [0, joins];
  for (let count = counts[widest] ?? 0; ofWidest > count; count = counts[++widest] ?? joins) ofWidest -= count;
  return { widest, ofWidest };
}

/** A walk over the neighbours of both lists. `spare`: what lies behind it is not needed any more. */
class Pairs {
  before: Named = { kind: 'data', start: 0, end: 0 };
  behind: Named = { kind: 'data', start: 0, end: 0 };
  private readonly at = { data: 0, zero: 0 };
  private readonly lists: NamedRanges;
  private readonly spare: Piece[] | undefined;

  constructor(lists: NamedRanges, spare?: Piece[]) {
    this.lists = lists;
    this.spare = spare;
  }

  /** False behind the last. After the first call there is nothing before. */
  next(): boolean {
    const { at, lists, spare } = this;
    const [data, zero] = [lists.data.at(at.data), lists.zero.at(at.zero)];
    const kind = data.start < zero.start ? 'data' : 'zero';
    const { start, end } = kind === 'data' ? data : zero;
    if (start === Number.POSITIVE_INFINITY) return false;
    [this.before, this.behind] = [this.behind, this.before];
    Object.assign(this.behind, { kind, start, end });
    at[kind]++;
    if (spare) lists[kind].leaveBehind(at[kind], spare);
    return true;
  }
}
