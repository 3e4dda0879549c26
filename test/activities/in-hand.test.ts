/** How much of its work a mover has in hand, by its own activities; the turn they all wait for is one that never comes. */
import type { ApplicationFailure } from '@temporalio/common';
import { activity } from '../../activities/attempt.ts';
import { InHand, moverSlots } from '../../activities/in-hand.ts';
import { createMoverActivities, type SealInput } from '../../activities/transfer.ts';
import { Turns } from '../../activities/turns.ts';
import { inActivity } from './in-activity.ts';

let end: () => void = () => undefined;
afterEach(() => end());

/** A mover where nothing gets its turn before the test ends. */
function busyMover() {
  const [turns, scrubs] = [new Turns(1), new Turns(1)];
  const { promise, reject } = Promise.withResolvers<never>();
  turns.take = scrubs.take = () => promise;
  const finder = { findDevice: async () => '/nowhere' };
  const mover = createMoverActivities({ turns, finder, stateDir: '/nowhere' } as never, scrubs);
  const seen = { taken: 0, sentBack: [] as ApplicationFailure[] };
  /** Hands over so many pieces of work, and says what became of all so far. */
  const handOver = async (count: number, kind: 'scrub' | 'transfer' | 'seal', urgent = false) => {
    for (let one = 0; one < count; one++) {
      seen.taken++;
      inActivity((): Promise<unknown> => {
        const disk = { disk: `disk-${one}`, sizeBytes: 1024, path: '/x', uuid: 'u' } as never;
        const input = { machine: kind, run: 'r', disk, after: 0, urgent, reread: false } as unknown as SealInput;
        if (kind === 'scrub') return mover.scrubDisk(input as never);
        return kind === 'seal' ? mover.sealDisk(input) : mover.transferDisk(input);
      }).catch((failure: ApplicationFailure) => {
        seen.taken--;
        seen.sentBack.push(failure);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    return seen;
  };
  end = () => reject(new Error('the test is over'));
  return handOver;
}

test('L5 rounds and scrubs that wait, however many, leave a mover slots for a cutover and for short steps', async () => {
  const handOver = busyMover();
  await handOver(1_200, 'scrub');
  const { taken, sentBack } = await handOver(1_200, 'transfer');
  const [urgent, short] = [400, 100];
  expect(taken).toBeLessThanOrEqual(moverSlots - urgent - short);
  // Enough of them to fill the mover's table room and to have one ready when a scrub ends.
  expect(taken).toBeGreaterThan(300);
  expect(sentBack.every(({ type, nonRetryable }) => type === 'Transient' && nonRetryable === false)).toBe(true);
  expect(sentBack.every(({ nextRetryDelay }) => Number(nextRetryDelay) >= 60_000)).toBe(true);
  await handOver(urgent, 'seal', true);
  expect(sentBack.filter(({ details }) => JSON.stringify(details).includes('"seal/'))).toEqual([]);
});

test('L1 cutovers beyond all slots come again within seconds, and leave some for short steps', async () => {
  const handOver = busyMover();
  const { taken, sentBack } = await handOver(2 * moverSlots, 'transfer', true);
  expect(taken).toBeLessThanOrEqual(moverSlots - 100);
  expect(Math.max(...sentBack.map(({ nextRetryDelay }) => Number(nextRetryDelay)))).toBeLessThanOrEqual(5_000);
});

test('a place is free again when its work has ended, also in vain', async () => {
  const hand = new InHand(1, 1_000);
  const fail = () => Promise.reject(new Error('in vain'));
  await expect(hand.hold('a', fail)).rejects.toThrow('in vain');
  const both = hand.hold('a', () => expect(hand.hold('b', fail)).rejects.toThrow('1 disks like this one in hand'));
  await both;
  expect(await hand.hold('b', async () => 'done')).toBe('done');
});

test('L1 an attempt that found no place asks nobody, however many before it were in vain, and does not count', async () => {
  const full = new InHand(0, 1_000);
  const wait = activity('transferDisk', () => full.hold('erp/os', async () => undefined));
  const beats: unknown[] = [];
  const earlier = { attempt: 1_000, heartbeatDetails: { inVain: 59 } };
  const attempt = inActivity(
    () => wait(undefined),
    undefined,
    earlier,
    (details) => beats.push(details),
  );
  const failure: unknown = await attempt.catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ type: 'Transient', nonRetryable: false });
  // The next attempt counts one more than it finds: as many as this one found.
  expect(beats.at(-1)).toMatchObject({ inVain: 59 });
});
