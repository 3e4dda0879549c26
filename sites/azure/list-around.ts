/**
 * What may differ between two moments of a disk that lie between two others, from lists that each tell of two moments only.
 * Rule (S9, S10): a comparison names what differs between its two ends; whether it also names what held data only in between,
 * Azure does not say. So what a moment's own list holds and the earliest one's does not is read too. All ascends, as the lists do.
 */
import type { Extent } from '../../disk/point-reader.ts';

type Extents = AsyncIterable<Extent>;

const endOf = ({ offset, length }: Extent): number => offset + length;

/**
 * What `held` names and `before` does not, as data. Only what `before` names is ever left out, so that lists which did not
 * ascend would cost reads and no bytes.
 */
export async function* since(held: Extents, before: Extents): AsyncGenerator<Extent> {
  const earlier = before[Symbol.asyncIterator]();
  try {
    let known = await earlier.next();
    for await (const extent of held) {
      const end = endOf(extent);
      for (let from = extent.offset; from < end; ) {
        while (!known.done && endOf(known.value) <= from) known = await earlier.next();
        const until = known.done ? end : Math.min(end, Math.max(from, known.value.offset));
        if (until > from) yield { offset: from, length: until - from, kind: 'data' };
        from = known.done || until === end ? end : Math.min(end, endOf(known.value));
      }
    }
  } finally {
    await earlier.return?.();
  }
}

/** Two lists as one, in the order of their offsets. */
export async function* merged(one: Extents, other: Extents): AsyncGenerator<Extent> {
  const lists = [one[Symbol.asyncIterator](), other[Symbol.asyncIterator]()] as const;
  try {
    let [left, right] = [await lists[0].next(), await lists[1].next()];
    while (!left.done || !right.done) {
      if (right.done || (!left.done && left.value.offset <= right.value.offset)) {
        if (!left.done) yield left.value;
        left = await lists[0].next();
      } else {
        yield right.value;
        right = await lists[1].next();
      }
    }
  } finally {
    for (const list of lists) await list.return?.();
  }
}

export async function* asData(list: Extents): AsyncGenerator<Extent> {
  for await (const extent of list) yield { ...extent, kind: 'data' };
}
