/** L3: whether rounds get anywhere is said after three of them, with both rates. */
import fc from 'fast-check';
import { convergence, copyMs } from '../../model/convergence.ts';
import { type Machine, roundsOf } from './rounds-of.ts';

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

test('L3 a round whose end nobody took for an hour counts what its mover took for it, not the hour', () => {
  const machine = { seedBytes: 256 * MiB, link: 8 * MiB, pauseSeconds: 1, pointSeconds: 1 };
  const { rounds } = roundsOf(with_(machine, MiB), 3);
  const late = rounds.map((round) => ({ ...round, durationMs: 3_600_000, moverMs: copyMs(round) }));
  expect(convergence(late)).toEqual(convergence(rounds));
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
