/** L3: whether rounds get anywhere is said after three of them, with both rates. */
import fc from 'fast-check';
import { type Convergence, convergence, copyMs, divergenceOf } from '../../model/convergence.ts';
import type { RoundReport } from '../../model/round.ts';
import { beginning, type Machine, roundsOf } from './rounds-of.ts';

const MiB = 1024 ** 2;
const machines = fc.record({
  seedBytes: fc.integer({ min: 64 * MiB, max: 64 * 1024 * MiB }),
  link: fc.integer({ min: MiB, max: 200 * MiB }),
  pauseSeconds: fc.integer({ min: 0, max: 300 }),
  pointSeconds: fc.integer({ min: 0, max: 60 }),
});
const with_ = (machine: Omit<Machine, 'churn' | 'fixedSeconds'>, churn: number): Machine => ({
  ...machine,
  fixedSeconds: 0,
  churn: [churn],
});

test('L3 nothing is said before three rounds of changes, nor while nothing changes', () => {
  const machine = { seedBytes: 256 * MiB, link: MiB, pauseSeconds: 1, pointSeconds: 1 };
  for (const deltas of [0, 1, 2]) expect(convergence(roundsOf(with_(machine, 9 * MiB), deltas).rounds)).toBeUndefined();
  expect(convergence(roundsOf(with_(machine, 9 * MiB), 3).rounds)).toMatchObject({ converges: false, round: 4 });
  expect(convergence(roundsOf(with_(machine, 0), 5).rounds)).toBeUndefined();
});

test('L3 the rates count what is sent, so that they can be held against a limit, and not only what changed', () => {
  const machine = { seedBytes: 256 * MiB, link: MiB, pauseSeconds: 0, pointSeconds: 0 };
  const { rounds } = roundsOf(with_(machine, 2 * MiB), 3);
  const scattered = rounds.map((round) => ({ ...round, changedBytes: round.changedBytes / 37 }));
  expect(convergence(scattered)).toEqual(convergence(rounds));
});

test('L3 rounds that are as long as the one before are told to hardly get shorter, and those that are clearly shorter are not', () => {
  const told = (times: readonly number[]) => divergenceOf(convergence(roundsTaking(times)));
  expect(told([1, 1, 1])).toBe('nearly');
  expect(told([0.95, 0.92, 0.95])).toBe('nearly');
  expect(told([0.85, 0.85, 0.85])).toBeUndefined();
  expect(told([1.2, 1.2, 1.2])).toBe('faster');
  expect(divergenceOf(undefined)).toBeUndefined();
});

test('L3 the limit that the last of those rounds was under is told with the rates, and none where none held', () => {
  const machine = { seedBytes: 256 * MiB, link: MiB, pauseSeconds: 0, pointSeconds: 0 };
  const { rounds } = roundsOf(with_(machine, 2 * MiB), 3);
  const limit = { bytesPerSecond: MiB, by: 'mover m1' };
  const slowed = rounds.map((round) => ({ ...round, limit }));
  expect(convergence(slowed)).toEqual({ ...convergence(rounds), limit });
  expect(convergence([...slowed.slice(0, -1), ...rounds.slice(-1)])).not.toHaveProperty('limit');
});

test('L3 changes that come slower than they are moved converge, whatever the pauses', () => {
  fc.assert(
    fc.property(
      machines,
      fc.double({ min: 0.01, max: 0.95, noNaN: true }),
      fc.integer({ min: 3, max: 9 }),
      (machine, share, deltas) => {
        const { rounds } = roundsOf(with_(machine, machine.link * share), deltas);
        const judged = convergence(rounds);
        // So little may change in a short pause that no byte does.
        if (rounds.slice(-3).every(({ changedBytes }) => changedBytes > 1_000_000))
          expect(judged?.converges).toBe(true);
      },
    ),
  );
});

test('L3 changes that outrun the link are said so with both rates, once the rounds are longer than the pauses', () => {
  fc.assert(
    fc.property(machines, fc.double({ min: 1.2, max: 4, noNaN: true }), (machine, share) => {
      const { rounds } = roundsOf({ ...with_(machine, machine.link * share), pauseSeconds: 0, pointSeconds: 0 }, 3);
      const judged = convergence(rounds);
      expect(judged?.converges).toBe(false);
      expect((judged?.changedBytesPerSecond ?? 0) / (machine.link * share)).toBeCloseTo(1, 1);
      expect((judged?.movedBytesPerSecond ?? 0) / machine.link).toBeCloseTo(1, 1);
    }),
  );
});

test('L3 one long round of three is no link that is too slow, however much longer it was', () => {
  const machine = { seedBytes: 256 * MiB, link: 8 * MiB, pauseSeconds: 1, pointSeconds: 1 };
  const { rounds } = roundsOf(with_(machine, MiB), 9);
  const stalled = rounds.map((round) => (round.number === 7 ? { ...round, durationMs: 3_600_000 } : round));
  for (let end = 4; end <= stalled.length; end++)
    expect(convergence(stalled.slice(0, end))).toMatchObject({ converges: true });
});

/** Rounds one right behind the other that took so many times what their changes took to be made, the first of them a seed of `firstMs`. */
function roundsTaking(times: readonly number[], firstMs = 60_000): RoundReport[] {
  const { rounds } = roundsOf(
    { seedBytes: MiB, link: MiB, pauseSeconds: 0, pointSeconds: 0, fixedSeconds: 0, churn: [0] },
    0,
  );
  let [takenAt, durationMs] = [beginning, firstMs];
  return [1, ...times].map((time, index) => {
    if (index > 0) takenAt += durationMs;
    durationMs = Math.round(durationMs * time);
    const [changedBytes, copiedBytes] = [durationMs, durationMs];
    const of = {
      number: index + 1,
      mode: index === 0 ? 'full' : 'delta',
      changedBytes,
      copiedBytes,
      pointMs: 0,
    } as const;
    return { ...(rounds[0] as RoundReport), ...of, takenAt: new Date(takenAt).toISOString(), durationMs };
  });
}

/** What was said after each round from the seed on, as the run judges them. */
function saidOf(rounds: readonly RoundReport[]): (boolean | undefined)[] {
  let before: Convergence | undefined;
  return rounds.map((_, end) => {
    before = convergence(rounds.slice(Math.max(0, end - 19), end + 1), before) ?? before;
    return before?.converges;
  });
}

const repeated = (times: readonly number[], count: number): number[] =>
  Array.from({ length: count }, (_, index) => times[index % times.length] ?? 1);

test('L3 rounds that grow without end are said so within a few, though one in three of them is shorter', () => {
  const said = saidOf(roundsTaking(repeated([2, 2, 0.9], 18)));
  expect(said.slice(5)).toEqual(Array.from({ length: 14 }, () => false));
});

test('L3 whatever three rounds do, if they grow by doing it again and again it is said within nine and stays said', () => {
  const grow = fc
    .tuple(...[0, 1, 2].map(() => fc.double({ min: 0.4, max: 4, noNaN: true })))
    .filter((times) => times.reduce((all, time) => all * time, 1) >= 1.1);
  fc.assert(
    fc.property(grow, (times) => {
      expect(saidOf(roundsTaking(repeated(times, 15))).slice(9)).toEqual(Array.from({ length: 7 }, () => false));
    }),
  );
});

test('L3 rounds that shrink, and one among them that stood still for however long, are no link that is too slow', () => {
  const shrink = fc.double({ min: 0.7, max: 0.99, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(shrink, { minLength: 3, maxLength: 24 }),
      fc.nat({ max: 23 }),
      fc.double({ min: 1, max: 1000, noNaN: true }),
      (times, at, stalled) => {
        const said = saidOf(
          roundsTaking(
            times.map((time, index) => (index === at ? stalled : time)),
            36_000_000,
          ),
        );
        expect(said).not.toContain(false);
      },
    ),
  );
});

test('L3 what is over again is said once: a round that is shorter than its changes brings no trouble of earlier ones up', () => {
  // Two rounds stood still; then all is well again, and the sixth round from the first of them on is longer than it was.
  const said = saidOf(roundsTaking([0.9, 0.9, 20, 0.5, 2, 0.5, 0.5, 0.5, 0.5, 0.5]));
  expect(said).toEqual([undefined, undefined, undefined, true, true, false, true, true, true, true, true]);
});

test('L3 both rates are of rounds of which it is true: more changes than is moved', () => {
  const rounds = roundsTaking(repeated([4, 0.9, 0.9], 4));
  const judged = convergence(rounds);
  expect(judged).toMatchObject({ converges: false, round: 5 });
  expect(judged?.changedBytesPerSecond).toBeGreaterThan(judged?.movedBytesPerSecond ?? Number.NaN);
  // Two of three were a little longer, and all together were shorter.
  expect(convergence(roundsTaking([1.1, 0.5, 1.1]))).toMatchObject({ converges: true });
});

test('L3 a round whose end nobody took for an hour counts what its mover took for it, not the hour', () => {
  const machine = { seedBytes: 256 * MiB, link: 8 * MiB, pauseSeconds: 1, pointSeconds: 1 };
  const { rounds } = roundsOf(with_(machine, MiB), 3);
  const late = rounds.map((round) => ({ ...round, durationMs: 3_600_000, moverMs: copyMs(round) }));
  expect(convergence(late)).toEqual(convergence(rounds));
});

test('L3 a round that stood still in between counts what its mover worked; where that is not known it is left out, and never brings rounds to be told as too slow', () => {
  const machine = { seedBytes: 256 * MiB, link: 8 * MiB, pauseSeconds: 1, pointSeconds: 1 };
  const { rounds } = roundsOf(with_(machine, MiB), 6);
  const paused = rounds.map((round) => ({ ...round, stood: true as const, durationMs: 3_600_000 }));
  expect(convergence(paused.map((round, at) => ({ ...round, moverMs: copyMs(rounds[at] ?? round) })))).toEqual(
    convergence(rounds),
  );
  expect(convergence(paused)).toBeUndefined();
  // Two long ones of six, the newest among them, would be told as faster than the link.
  const some = rounds.map((round, at) => (at === 4 || at === 6 ? (paused[at] ?? round) : round));
  expect(convergence(some)).toMatchObject({ converges: true, round: 6 });
  expect(convergence(some.map(({ stood: _, ...round }: RoundReport) => round))).toMatchObject({ converges: false });
});

test('L3 a run whose changes calm down says so again, and not for a mere tremble', () => {
  const machine = { seedBytes: 512 * MiB, link: 8 * MiB, pauseSeconds: 0, pointSeconds: 0, fixedSeconds: 0 };
  const { rounds } = roundsOf(
    { ...machine, churn: [12 * MiB, 12 * MiB, 12 * MiB, 7.6 * MiB, 7.6 * MiB, 7.6 * MiB, MiB] },
    9,
  );
  const said: boolean[] = [];
  let before = convergence(rounds.slice(0, 4));
  for (let end = 4; end <= rounds.length; end++) {
    before = convergence(rounds.slice(0, end), before);
    said.push(before?.converges ?? true);
  }
  expect(said).toEqual([false, false, false, false, true, true, true]);
  // Seen for the first time the same three rounds do converge: it is the turn that needs more.
  expect(convergence(rounds.slice(0, 7))?.converges).toBe(true);
});
