/** The order in which a mover's disks may copy. */
import { Turns } from '../../activities/turns.ts';

/** Work that lasts until it is told to end. */
function work() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { end, ended };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

test('L5 only so many disks copy at once, and the others follow in the order they came', async () => {
  const turns = new Turns(2);
  const began: number[] = [];
  const works = Array.from({ length: 5 }, work);
  const all = works.map((one, index) =>
    turns.take(false, never, () => {
      began.push(index);
      return one.ended;
    }),
  );
  await soon();
  expect(began).toEqual([0, 1]);
  works[1]?.end();
  await soon();
  expect(began).toEqual([0, 1, 2]);
  for (const one of works) {
    one.end();
    await soon();
  }
  await Promise.all(all);
  expect(began).toEqual([0, 1, 2, 3, 4]);
});

test('heavy disks share the room, light ones wait behind a heavy one, and one too heavy for it goes alone', async () => {
  const turns = new Turns(10);
  const began: number[] = [];
  const weights = [6, 5, 1, 99, 1];
  const works = weights.map(work);
  const all = works.map((one, index) =>
    turns.take(
      false,
      never,
      () => {
        began.push(index);
        return one.ended;
      },
      weights[index],
    ),
  );
  const seen: number[] = [];
  for (const one of works) {
    await soon();
    seen.push(began.length);
    one.end();
  }
  await Promise.all(all);
  expect(seen).toEqual([1, 3, 3, 4, 5]);
  expect(began).toEqual([0, 1, 2, 3, 4]);
});

test('L5 work inside a cutover waits for nobody', async () => {
  const turns = new Turns(1);
  const seed = work();
  const seeding = turns.take(false, never, () => seed.ended);
  expect(await turns.take(true, never, async () => 'final round')).toBe('final round');
  seed.end();
  await seeding;
});

test('work that is told to stop while it waits leaves the queue', async () => {
  const turns = new Turns(1);
  const first = work();
  const running = turns.take(false, never, () => first.ended);
  const stop = new AbortController();
  const waiting = turns.take(false, stop.signal, async () => 'never');
  const last = turns.take(false, never, async () => 'last');
  stop.abort(new Error('told to stop'));
  await expect(waiting).rejects.toThrow('told to stop');
  first.end();
  await running;
  expect(await last).toBe('last');
});
