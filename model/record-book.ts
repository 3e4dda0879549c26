/**
 * The record of a run as it is written: every effect one entry, and what may come again for ever within bounds, so that the
 * status always fits into an answer of Temporal (2 MB) however long a run is held, resumed and asked.
 * Rule (S12): an entry that was written stays, and the chain only grows. Beyond its bound a kind that recurs is counted, and
 * the count is an entry before the next effect and at the end; each single one is in Temporal's history.
 */
import { type EvidenceEntry, record } from './evidence.ts';

type Fresh = Pick<EvidenceEntry, 'at' | 'key' | 'what' | 'facts'>;

interface Tally {
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

export interface RecordBook {
  readonly chain: readonly EvidenceEntry[];
  /** Entries of each kind that recurs. */
  readonly written: Readonly<Record<string, number>>;
  /** What came beyond the bound and is in no entry yet. */
  readonly unwritten: Readonly<Record<string, Tally>>;
}

export const emptyBook: RecordBook = { chain: [], written: {}, unwritten: {} };

/** Entries each kind may have: with all kinds at their bound, and counts between the effects, well below a megabyte. */
const mostOfAKind = 150;
/** A text from outside may be of any length; a list of names that is longer is to be read in the two worlds. */
const longestText = 500;

/** What may come again without end: what people may say or cause again and again, and what time brings. */
const recurring: readonly (readonly [kind: string, keys: RegExp])[] = [
  ['hold', /^hold-accepted$/],
  ['resume', /^resume-accepted$/],
  ['resolve', /^resolve-accepted$/],
  ['reassign', /^reassign-accepted$/],
  ['change of the mover', /^mover-reassigned$/],
  ['call for an operator', /^operator-called$/],
  ['scrub', /^scrub\//],
  ['convergence', /^convergence\//],
  ['reminder', /^reminded\//],
  ['application-consistent point', /^application-point\//],
  ['turn of the source', /^source-(idle|runs-again)$/],
  ['script', /^step\//],
  ['proof', /^proof-started$/],
  ['probe', /^probe\//],
];

const kindOf = (key: string): string | undefined => recurring.find(([, keys]) => keys.test(key))?.[0];

/** Writes an entry, or counts it when its kind has had its share. */
export function write(book: RecordBook, entry: Fresh): RecordBook {
  const fresh = shortened(entry);
  const kind = kindOf(entry.key);
  if (kind === undefined) {
    const { chain, ...rest } = writeTallies(book, entry.at);
    return { ...rest, chain: record(chain, fresh) };
  }
  const had = book.written[kind] ?? 0;
  if (had < mostOfAKind)
    return { ...book, chain: record(book.chain, fresh), written: { ...book.written, [kind]: had + 1 } };
  const tally = book.unwritten[kind] ?? { count: 0, first: entry.at, last: entry.at };
  return {
    ...book,
    unwritten: { ...book.unwritten, [kind]: { ...tally, count: tally.count + 1, last: entry.at } },
  };
}

/** Turns what was only counted into entries. */
export function writeTallies(book: RecordBook, at: string): RecordBook {
  const chain = Object.entries(book.unwritten).reduce<readonly EvidenceEntry[]>(
    (so, [kind, { count, first, last }]) => {
      const what = `more of this kind came than the record keeps one by one (${mostOfAKind}); each is in Temporal’s history`;
      return record(so, { at, key: `more/${kind}`, what, facts: { count, first, last } });
    },
    book.chain,
  );
  return { ...book, chain, unwritten: {} };
}

function shortened({ at, key, what, facts }: Fresh): Fresh {
  const short = (text: string): string => (text.length <= longestText ? text : `${text.slice(0, longestText)} …`);
  const cut = Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'string' ? short(fact) : fact]);
  return { at, key: short(key), what: short(what), facts: Object.fromEntries(cut) as Fresh['facts'] };
}
