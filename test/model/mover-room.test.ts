/** Whether the records of the disks fit into the mover's state folder: once where they do, once where they do not. */
import { roomCheck, stateBytes } from '../../model/mover-room.ts';
import { moverChecks } from '../../model/mover-seen.ts';

const [KiB, MiB, GiB] = [1024, 1024 ** 2, 1024 ** 3];
const disks = [10 * GiB, 20 * GiB];
const state = (freeBytes: number, heldBytes = 0) => ({ folder: '/var/lib/m1', freeBytes, heldBytes });
const verdict = (freeBytes: number, heldBytes = 0, sizes = disks): string =>
  roomCheck('m1', state(freeBytes, heldBytes), sizes).verdict;

test('S000-2 a state folder that is too small for the records of the disks is refused, with the mover and the folder', () => {
  expect(roomCheck('m1', state(256 * KiB), disks)).toEqual({
    id: 'mover-room',
    subject: 'm1',
    verdict: 'refuse',
    seen: 'its state folder /var/lib/m1 has 256.0 KiB free, and what it keeps of these disks may take 19.3 MiB more',
    remedy: 'Free space on mover m1 in the file system of /var/lib/m1, or enlarge it.',
  });
});

test('S000-2 one that fits only just is a warning, and one with room passes', () => {
  const need = stateBytes(disks);
  expect([verdict(need - 1), verdict(need), verdict(need + 64 * MiB)]).toEqual(['refuse', 'warn', 'pass']);
  expect(roomCheck('m1', state(need), disks).seen).toContain('in a round of many small changes');
  // As docs/operate.md says it.
  expect(need / 30).toBeLessThan(MiB);
});

test('S000-2 what the machine’s records take already is not asked for twice, but a full folder never passes', () => {
  const need = stateBytes(disks);
  expect([verdict(need / 2, need / 2), verdict(need / 2 - 1, need / 2)]).toEqual(['warn', 'refuse']);
  expect([verdict(0, need), verdict(0, 10 * need)]).toEqual(['refuse', 'refuse']);
});

test('S000-2 a state folder that cannot be looked at is refused, and the worker of an older mover says nothing of it', () => {
  expect(roomCheck('m1', { ...state(0), problem: 'EACCES' }, disks)).toMatchObject({
    verdict: 'refuse',
    seen: 'its state folder /var/lib/m1 cannot be looked at: EACCES',
    remedy: expect.stringContaining('movers.m1.state'),
  });
  expect(roomCheck('m1', undefined, disks)).toMatchObject({ verdict: 'pass', seen: expect.stringMatching(/not say/) });
  // Where no disk could be seen another check refuses.
  expect(verdict(0, 0, [])).toBe('pass');
});

test('S000-2 the room is judged with everything else that a mover’s worker says', () => {
  const seen = { version: '1.0.0', platform: 'linux', now: new Date(0).toISOString(), endpoints: [], mounts: [] };
  const question = { mover: 'm1', version: '1.0.0', os: undefined, sameSystem: false, askedAt: 0, answeredAt: 0 };
  const checks = moverChecks({ seen: { ...seen, state: state(0) } }, { ...question, sizesBytes: disks });
  expect(checks.filter((check) => check.verdict === 'refuse').map(({ id }) => id)).toEqual(['mover-room']);
});
