/**
 * Memory for long lists of changes, longer than what each disk's weight includes (activities/table-room.ts): how long one is,
 * is known only once it is read, so each is given all it may need while it is read, and afterwards keeps what it takes.
 * Rule: whoever waits here has nothing, neither memory nor a turn nor room (L5): a copy that finds no room ends, and begins
 * anew in a turn that there is room for; until then turns and room go to those who can use them. So nobody waits in a circle,
 * or for somebody who only waits. Lists of cutovers have room of their own (L5).
 */
import { largestListBytes, shortListBytes } from '../disk/change-list.ts';
import { type Reweigh, Turns } from './turns.ts';

/** One is read while others that were read take a third of it. */
export const openListRoom = (): Turns => new Turns(1.5 * largestListBytes, undefined, largestListBytes);

export interface LongList {
  /** Called once, before a list is read on that is longer than a short one. What it throws is to end the copy. */
  long(): void;
  /** What the list takes of memory, once it is read. */
  listed(bytes: number): void;
}

interface Wish {
  readonly urgent: boolean;
  /** Of the disk, in `turns`. */
  readonly weight: number;
  /** Ends a wait with its reason. */
  readonly signal: AbortSignal;
  /** Told before it waits for room. */
  waits(): void;
}

class NoRoom extends Error {}

/** What each disk's weight does not include. */
const beyondShort = (bytes: number): number => Math.max(0, bytes - shortListBytes);

/** Runs `act` in its turn, whose list has room from when it asks for it until `act` has ended; or twice, the second time with room. */
export async function inTurnWithList<T>(
  { turns, lists }: { readonly turns: Turns; readonly lists: Turns },
  { urgent, weight, signal, waits }: Wish,
  act: (list: LongList) => Promise<T>,
): Promise<T> {
  let room: Reweigh | undefined;
  const claim = (): boolean => {
    room ??= lists.takeNow(urgent, largestListBytes);
    return room !== undefined;
  };
  const listed = (bytes: number): void => {
    room?.(beyondShort(bytes));
    // Others wait there for a turn with room.
    turns.look();
  };
  const withRoom = async (long: () => void): Promise<T> => {
    try {
      return await act({ long, listed });
    } finally {
      // Before the turn, so that both together go to one who waits for both.
      room?.(0);
      room = undefined;
    }
  };
  const long = (): void => {
    if (!claim()) throw new NoRoom('there is no room for a long list now');
  };
  try {
    return await turns.take(urgent, signal, () => withRoom(long), weight);
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
  }
  waits();
  return await turns.take(urgent, signal, () => withRoom(() => undefined), weight, claim);
}
