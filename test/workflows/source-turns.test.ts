/** When the rounds tell that the source was stopped or runs again, and when they ask a person. */
import { Serving, type ServingKnown, servedAtFirst } from '../../workflows/source-turns.ts';

const watched = (serves: boolean | undefined) => watchedFrom({ sourceServes: serves });
const watchedFrom = (known: ServingKnown) => {
  const told: boolean[] = [];
  const serving = new Serving(known, async (now) => void told.push(now));
  const see = async (...points: (boolean | undefined)[]): Promise<void> => {
    for (const sourceServed of points) await serving.see(sourceServed === undefined ? {} : { sourceServed });
  };
  const asks = (completed = false): boolean => {
    try {
      serving.assertServes('rg/erp-db', completed);
      return false;
    } catch {
      return true;
    }
  };
  return { told, serving, see, asks };
};

test('a source that is stopped is told with the point that saw it, and a person is asked once, at the end of the round', async () => {
  const { told, see, asks, serving } = watched(true);
  await see(true, false);
  expect(told).toEqual([false]);
  expect([asks(), asks()]).toEqual([true, false]);
  await see(false);
  expect(asks()).toBe(false);
  expect(serving.known()).toEqual({ sourceServes: false });
});

test('a source that runs again before the round ends, or whose failover was completed, needs no person', async () => {
  const again = watched(true);
  await again.see(false, true);
  expect([again.told, again.asks()]).toEqual([[false, true], false]);
  const completed = watched(true);
  await completed.see(false);
  expect(completed.asks(true)).toBe(false);
});

test('a source that was stopped in a round which failed for another reason calls a person in the rounds after it, once', async () => {
  const failed = watched(true);
  await failed.see(false);
  // The round fails, a person resolves that with retry, and the next rounds begin with what these knew.
  const next = watchedFrom(failed.serving.known());
  await next.see(false);
  expect([next.asks(), next.asks()]).toEqual([true, false]);
  expect(watchedFrom(next.serving.known()).asks()).toBe(false);
  const again = watchedFrom(failed.serving.known());
  await again.see(true);
  expect([again.told, again.asks()]).toEqual([[true], false]);
});

test('a source that never served, or is between two states, is no turn', async () => {
  const off = watched(false);
  await off.see(false, undefined);
  expect([off.told, off.asks()]).toEqual([[], false]);
  const unknown = watched(undefined);
  await unknown.see(undefined, false);
  expect([unknown.told, unknown.asks()]).toEqual([[], false]);
});

test('whether the source served at first is what preflight saw, and unknown while it was between two states', () => {
  const seen = (power: 'running' | 'stopped' | 'changing', guestOff = false) =>
    servedAtFirst({ address: { site: 'a', path: 'p' }, power, powerSeen: '', guestOff, disks: [], nics: [] });
  expect([seen('running'), seen('running', true), seen('stopped'), seen('changing')]).toEqual([
    true,
    false,
    false,
    undefined,
  ]);
});
