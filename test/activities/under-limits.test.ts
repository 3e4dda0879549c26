/**
 * What a copy says of its limit while it stands still for it.
 * Rule: the limits are the mover's real ones; only the clock of the bytes is the test's own and stands still.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MoverLimits } from '../../activities/limits.ts';
import { underLimits } from '../../activities/under-limits.ts';
import { progressIn } from '../../client/heartbeats.ts';
import type { TransferProgress } from '../../model/progress.ts';
import { testClock } from './clock.ts';

const MiB = 1024 ** 2;
const mover = { kind: 'mover', name: 'm1' } as const;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-under-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

test('R4 the heartbeat and the proof of a copy say that a cutover is exempt from its limit', async () => {
  const rules = [{ rate: '1MiB/s' }];
  const plan = { mover: 'm1', cutover: 'exempt', scopes: [{ scope: mover, sharedBy: 1, rules }] } as const;
  const limits = await MoverLimits.open(plan, folder, testClock(Date.parse('2026-11-23T06:00:00Z')));
  const said: unknown[] = [];
  const { report, told } = underLimits(limits.lane('west', 'home', false), { beat: (one) => void said.push(one) });
  report({ disk: 'os', stage: 'copying', doneBytes: 0, totalBytes: 9 * MiB, bytesPerSecond: 0, epoch: 1 });
  expect(progressIn(said.at(-1))[0]?.limit?.cutover).toBe('exempt');
  expect(told().limit).toEqual({ bytesPerSecond: MiB, by: 'mover m1', cutover: 'exempt' });
});

test.each([
  ['limited', false, 2 * MiB],
  ['limited', true, 2 * MiB],
  ['exempt', false, undefined],
  ['exempt', true, undefined],
] as const)(
  'R11 R4 changes are planned by the limit of the moment, but where cutovers are exempt rounds are planned as those are (cutover: %s, in one: %s)',
  async (cutover, urgent, planned) => {
    const plan = { mover: 'm1', cutover, scopes: [{ scope: mover, sharedBy: 1, rules: [] }] };
    const limits = await MoverLimits.open(plan, folder, testClock(Date.parse('2026-11-23T06:00:00Z')));
    const { limitedTo } = underLimits(limits.lane('west', 'home', urgent), { beat: () => undefined });
    expect(limitedTo()).toBeUndefined();
    await limits.hear({ mover: 'm1', set: { scope: mover, rule: { rate: '2MiB/s' }, by: 'ana' } });
    expect(limitedTo()).toBe(planned);
  },
);

test('R11 a copy that stands still for its limit says within a second that the limit was changed or lifted', async () => {
  const plan = { mover: 'm1', cutover: 'limited', scopes: [{ scope: mover, sharedBy: 1, rules: [] }] } as const;
  const limits = await MoverLimits.open(plan, folder, testClock(Date.parse('2026-11-23T06:00:00Z')));
  const set = (rate: string) => limits.hear({ mover: 'm1', set: { scope: mover, rule: { rate }, by: 'ana' } });
  await set('1MiB/s');
  const said: TransferProgress[] = [];
  const { pace, report } = underLimits(limits.lane('west', 'home', false), {
    beat: (progress) => void said.push(progress as TransferProgress),
  });
  report({ disk: 'os', stage: 'copying', doneBytes: 0, totalBytes: 9 * MiB, bytesPerSecond: 0, epoch: 1 });
  const { signal } = new AbortController();
  await pace(64 * MiB, signal);
  let passed = false;
  const waiting = pace(MiB, signal).then(() => {
    passed = true;
  });
  await set('2MiB/s');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(passed).toBe(false);
  expect(said.at(-1)?.limit).toMatchObject({ bytesPerSecond: 2 * MiB, holdsBack: true });
  await limits.hear({ mover: 'm1', clear: { scope: mover, by: 'ana' } });
  await waiting;
  await pace(MiB, signal);
  expect(said.at(-1)).not.toHaveProperty('limit');
});

test('R11 what a limit lets through at once, and what was sent before it was set, is told as no more than the limit', async () => {
  const plan = { mover: 'm1', cutover: 'limited', scopes: [{ scope: mover, sharedBy: 1, rules: [] }] } as const;
  const limits = await MoverLimits.open(plan, folder, testClock(Date.parse('2026-11-23T06:00:00Z')));
  const said: TransferProgress[] = [];
  const beat = (progress: unknown): void => void said.push(progress as TransferProgress);
  const { report } = underLimits(limits.lane('west', 'home', false), { beat });
  const copying = { disk: 'os', stage: 'copying', doneBytes: 0, totalBytes: 9 * MiB, epoch: 1 } as const;
  report({ ...copying, bytesPerSecond: 40 * MiB, sentPerSecond: 30 * MiB });
  await limits.hear({ mover: 'm1', set: { scope: mover, rule: { rate: '5MiB/s' }, by: 'ana' } });
  report({ ...copying, bytesPerSecond: 40 * MiB, sentPerSecond: 30 * MiB });
  report({ ...copying, bytesPerSecond: 40 * MiB, sentPerSecond: MiB });
  expect(said.map(({ sentPerSecond = 0 }) => sentPerSecond / MiB)).toEqual([30, 5, 1]);
  expect(said.map(({ bytesPerSecond }) => bytesPerSecond / MiB)).toEqual([40, 40, 40]);
});
