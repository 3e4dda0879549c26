/**
 * Memory for long lists of changes, longer than what each disk's weight includes (activities/table-room.ts): how long one is,
 * is known only once it is read, so each is given all it may need while it is read, and afterwards keeps what it takes.
 * Rule: whoever waits here has nothing in memory and no turn (L5): a copy that finds no room ends, and begins anew once it has
 * room. So those with room wait for turns, those with a turn wait for no room, and nobody waits in a circle. Lists of cutovers
 * have room of their own (L5).
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
  /** Ends a wait for room with its reason. */
  readonly signal: AbortSignal;
  /** Told before it waits. */
  waits(): void;
}

class NoRoom extends Error {}

/** What each disk's weight does not include. */
const beyondShort = (bytes: number): number => Math.max(0, bytes - shortListBytes);

/** Runs `act`, whose list has room from when it asks for it until `act` has ended; or twice, the second time with room. */
export async function withListRoom<T>(
  lists: Turns,
  { urgent, signal, waits }: Wish,
  act: (list: LongList) => Promise<T>,
): Promise<T> {
  let room: Reweigh | undefined;
  const long = (): void => {
    room = lists.takeNow(urgent, largestListBytes);
    if (room === undefined) throw new NoRoom('there is no room for a long list now');
  };
  try {
    return await act({ long, listed: (bytes) => room?.(beyondShort(bytes)) });
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
  } finally {
    room?.(0);
  }
  waits();
  const again = (reweigh: Reweigh): Promise<T> =>
    act({ long: () => undefined, listed: (bytes) => reweigh(beyondShort(bytes)) });
  return await lists.take(urgent, signal, again, largestListBytes);
}
