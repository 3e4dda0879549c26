/** How a soak that lasts longer than any attempt is added up. */
import { commitPolicy, probe } from '../../model/arrival-policy.ts';
import { inPieces, type Looked, type Piece, pieceSeconds, soaks } from '../../workflows/soak-pieces.ts';
import { watchStep } from '../../workflows/step-times.ts';

const longestSoak = 2_592_000;

/** Looks that end as told, then hold; answers each piece that was asked for. */
async function asked(
  seconds: number,
  ...ends: Looked[]
): Promise<{ readonly ended: Looked; readonly pieces: Piece[] }> {
  const pieces: Piece[] = [];
  const ended = await inPieces(seconds, async (piece) => {
    pieces.push(piece);
    return ends[pieces.length - 1] ?? 'held';
  });
  return { ended, pieces };
}

test('L1 L4 the longest soak that a policy takes comes to its end, in pieces that each end before their clock', async () => {
  expect(commitPolicy.safeParse({ approved: { by: 'ana', soakSeconds: longestSoak } }).success).toBe(true);
  expect(commitPolicy.safeParse({ approved: { by: 'ana', soakSeconds: longestSoak + 1 } }).success).toBe(false);
  const { ended, pieces } = await asked(longestSoak);
  expect(ended).toBe('held');
  expect(pieces.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(longestSoak);
  // An hour for the looks of a piece, which are no part of what they see held.
  for (const { seconds } of pieces) expect(seconds * 1000 + 3_600_000).toBeLessThan(watchStep.attemptMs);
  // Scheduled, started, completed, and the three events of the task in which the story hears of it.
  expect(pieces.length * 6).toBeLessThan(1_000);
});

test('L4 a soak that is no multiple of a piece ends with what is left, and a short one is one piece', async () => {
  expect((await asked(pieceSeconds + 5)).pieces).toEqual([
    { seconds: pieceSeconds, leftSeconds: pieceSeconds + 5 },
    { seconds: 5, leftSeconds: 5 },
  ]);
  expect((await asked(4)).pieces).toEqual([{ seconds: 4, leftSeconds: 4 }]);
  expect((await asked(pieceSeconds)).pieces).toHaveLength(1);
});

test.each(['failed', 'interrupted'] as const)(
  'L4 a piece that %s ends the soak, however much was held',
  async (end) => {
    const { ended, pieces } = await asked(longestSoak, 'held', 'held', end);
    expect(ended).toBe(end);
    expect(pieces).toHaveLength(3);
  },
);

test('a soak that only guards a rollback goes on until a probe fails', async () => {
  const held = Array.from({ length: 500 }, () => 'held' as const);
  const { ended, pieces } = await asked(Number.POSITIVE_INFINITY, ...held, 'failed');
  expect([ended, pieces.length]).toEqual(['failed', 501]);
  expect(pieces.every(({ seconds }) => seconds === pieceSeconds)).toBe(true);
});

test('L4 a commit that was approved beforehand follows nothing where there is no probe to look at', () => {
  const commit = commitPolicy.parse({ approved: { by: 'ana', soakSeconds: 1 } });
  const rollback = commitPolicy.parse({ rollback: { when: 'probes-fail', lossAcceptedBy: 'ana' } });
  const probes = [probe.parse({ kind: 'tools', name: 'tools' })];
  expect([soaks({ commit, probes: [] }), soaks({ commit: rollback, probes: [] })]).toEqual([false, false]);
  expect([soaks({ commit, probes }), soaks({ commit: rollback, probes })]).toEqual([true, true]);
  expect(soaks({ commit: commitPolicy.parse({}), probes })).toBe(false);
});
