/**
 * Memory for long lists of changes, longer than what each disk's weight includes (activities/table-room.ts): how long one is,
 * is known only once it is read, so each is given all it may need while it is read, and afterwards keeps what it takes.
 * Rule: who waits here has a short list in memory and reads on once there is room; whoever has room waits for nobody, so that
 * nobody waits in a circle. Lists of cutovers have room of their own (L5).
 */
import { largestListBytes, shortListBytes } from '../disk/change-list.ts';
import { Turns } from './turns.ts';

/** One is read while others that were read take a third of it. */
export const openListRoom = (): Turns => new Turns(1.5 * largestListBytes, undefined, largestListBytes);

export interface LongList {
  /** Awaited before a list is read on that is longer than a short one. Rejects with the signal's reason when it fires. */
  long(): Promise<void>;
  /** What the list takes of memory, once it is read. */
  listed(bytes: number): void;
}

/** Runs `act`, whose list has room from when it asks for it until `act` has ended. */
export async function withListRoom<T>(
  lists: Turns,
  urgent: boolean,
  signal: AbortSignal,
  act: (list: LongList) => Promise<T>,
): Promise<T> {
  const over = Promise.withResolvers<void>();
  const stop = new AbortController();
  let turn: Promise<void> | undefined;
  let reweigh = (_bytes: number): void => undefined;
  const long = async (): Promise<void> => {
    const room = Promise.withResolvers<void>();
    turn = lists.take(
      urgent,
      AbortSignal.any([signal, stop.signal]),
      async (given) => {
        reweigh = given;
        room.resolve();
        await over.promise;
      },
      largestListBytes,
    );
    turn.catch(room.reject);
    await room.promise;
  };
  try {
    return await act({ long, listed: (bytes) => reweigh(Math.max(0, bytes - shortListBytes)) });
  } finally {
    over.resolve();
    // Whoever waits still waits for nothing any more.
    stop.abort();
    await turn?.catch(() => undefined);
  }
}
