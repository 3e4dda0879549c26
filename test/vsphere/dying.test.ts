/**
 * A worker that dies right before any one of its changes in vCenter: the next attempt carries the step on.
 * Rule: death is a `mayChange` that throws, as it does when another attempt may have begun; all that was sent before stays.
 */
import { transient } from '../../model/failure.ts';
import type { WriteWay } from '../../model/machine.ts';
import type { Work } from '../../sites/source.ts';
import {
  diskOf,
  onSimulator,
  original,
  powerOf,
  quietWork,
  requestFor,
  returnedBy,
  runB,
  type Simulator,
} from './simulator.ts';

const ways: readonly WriteWay[] = ['in-place', 'staged'];
let simulator: Simulator;
onSimulator(
  [
    ...ways.flatMap((way) => [`home-${way}`, `back-${way}`]).map(original),
    { ...original('others'), extraConfig: returnedBy('others', runB) },
  ],
  (started) => {
    simulator = started;
  },
);

const work = quietWork();
const death = transient({ op: 'heartbeat', subject: 'a', message: 'died', hint: 'Nothing to do.' });

/** An attempt that sends `may` changes and dies before the next one. */
function dying(may: number): Work & { readonly died: boolean } {
  const end = new AbortController();
  let sent = 0;
  return {
    ...work,
    signal: end.signal,
    get died() {
      return end.signal.aborted;
    },
    mayChange() {
      if (sent++ < may) return;
      end.abort(death);
      throw death;
    },
  };
}

/** Attempts that send one change each and die before the next, until one has nothing left to do; answers how many died. */
async function withDeaths(step: (work: Work) => Promise<unknown>): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    const attempt = dying(1);
    const error = await step(attempt).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBe(attempt.died ? death : undefined);
    if (!attempt.died) return deaths;
  }
}

test.each(ways)('L1 S4 %s: the disks come back to their machine whenever the worker dies', async (way) => {
  const target = simulator.target();
  const name = `home-${way}`;
  const request = await requestFor(target, name, way);
  expect(await withDeaths((attempt) => target.ensureDisksOpen(request, attempt))).toBeGreaterThan(0);
  const deaths = await withDeaths(async (attempt) => {
    await target.ensureDisksReleased(request, attempt);
    await target.ensureDisksReturned(request, attempt);
  });
  // Off the mover, plugged, marked; staged, the originals are taken off before they are plugged.
  expect(deaths).toBe(way === 'staged' ? 3 : 2);
  expect((await simulator.machine(name)).disks).toHaveLength(2);
  expect(await withDeaths((attempt) => target.ensureStarted(powerOf(name), attempt))).toBe(0);
  expect((await simulator.machine(name)).power).toBe('on');
  await target.ensureStopped(powerOf(name), work);
});

test.each(ways)('L1 S5 %s: plugged and not yet marked, the disks can still be taken back', async (way) => {
  const target = simulator.target();
  const name = `back-${way}`;
  const request = await requestFor(target, name, way);
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  // The last change is the mark; every one before it has been sent.
  const marking = way === 'staged' ? 2 : 1;
  await expect(target.ensureDisksReturned(request, dying(marking))).rejects.toBe(death);
  const { disks } = await simulator.machine(name);
  expect(disks).toHaveLength(2);
  await expect(target.ensureStarted(powerOf(name), work)).rejects.toThrow(/are open/);
  await withDeaths((attempt) => target.ensureDisksAbandoned(request, attempt));
  const left = (await simulator.machine(name)).disks.map(({ file }) => file);
  expect(left).toEqual(way === 'staged' ? [diskOf(name), diskOf(name, 1)] : []);
});

test('S8 a late attempt of another run takes no disk off the mover', async () => {
  const target = simulator.target();
  await expect(target.ensureDisksReleased(await requestFor(target, 'others'), work)).rejects.toMatchObject({
    kind: 'Fenced',
  });
});
