/** What a mover's worker says, and how each of its words is judged: once where it passes, once where it does not. */
import { blocking } from '../../model/check.ts';
import {
  awaitedMover,
  endpointCheck,
  type MoverQuestion,
  type MoverSeen,
  mountCheck,
  moverChecks,
  systemCheck,
  versionCheck,
} from '../../model/mover-seen.ts';

const askedAt = Date.parse('2026-03-01T12:00:00Z');
const question: MoverQuestion = {
  mover: 'mover-1',
  version: '0.4.2',
  os: { family: 'linux' },
  sizesBytes: [1024 ** 3],
  sameSystem: false,
  askedAt,
  answeredAt: askedAt + 200,
};
const seen: MoverSeen = {
  version: '0.4.2',
  platform: 'linux',
  now: new Date(askedAt + 100).toISOString(),
  endpoints: [{ name: 'Azure Resource Manager', address: 'management.azure.com:443', ms: 12.4 }],
  mounts: [{ datastore: 'ds-1', folder: '/mnt/ds-1' }],
  state: { folder: '/var/lib/m1', freeBytes: 1024 ** 3, heldBytes: 0 },
};

test('S000-2 a mover that answers in our version and reaches everything passes every check', () => {
  const checks = moverChecks({ seen }, question);
  expect(checks.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
    'mover-worker pass',
    'mover-version pass',
    'mover-clock pass',
    'mover-system pass',
    'mover-reaches pass',
    'mover-mount pass',
    'mover-room pass',
  ]);
  expect(checks.every(({ subject }) => subject === 'mover-1')).toBe(true);
});

test('S000-2 a mover whose worker takes no question is refused with the command that starts it', () => {
  expect(moverChecks({ silent: 'not-taken' }, question)).toMatchObject([
    {
      id: 'mover-worker',
      requirement: 'S000-2',
      verdict: 'refuse',
      seen: 'no worker took a question on its task queue within 10 s',
      remedy: expect.stringContaining('npm run mover -- --config homeward.yaml --id mover-1'),
    },
  ]);
  expect(moverChecks({ silent: 'it broke' }, question)[0]?.seen).toBe('its worker could not answer: it broke');
});

test('S000-2 a mover that takes no question may come back for two minutes where the story waits for it, and is refused then', () => {
  const since = askedAt - 119_000;
  const awaited = awaitedMover('mover-1', since, askedAt);
  expect(awaited).toEqual({
    for: 'the worker of mover mover-1 to come back',
    since: '2026-03-01T11:58:01.000Z',
    until: '2026-03-01T12:00:01.000Z',
  });
  const silent = { silent: 'not-taken' };
  const [waits] = moverChecks(silent, { ...question, awaited });
  expect(waits).toMatchObject({ id: 'mover-worker', verdict: 'wait', wait: awaited });
  expect(waits?.remedy).toContain('npm run mover');
  // What it answered wrongly does not mend itself.
  expect(moverChecks({ silent: 'it broke' }, { ...question, awaited })[0]?.verdict).toBe('refuse');
  expect(awaitedMover('mover-1', since, askedAt + 1_000)).toBeUndefined();
});

test('a worker too old to know the question is there, and of the wrong version', () => {
  expect(moverChecks({ silent: 'too-old' }, question)).toMatchObject([
    { id: 'mover-worker', verdict: 'pass' },
    {
      id: 'mover-version',
      verdict: 'refuse',
      remedy: expect.stringContaining('the version of the control workers (0.4.2)'),
    },
  ]);
});

test('versions that understand each other are a warning, others are refused', () => {
  const verdictOf = (theirs: string, ours?: string): string =>
    versionCheck(theirs, { ...question, version: ours }).verdict;
  expect([verdictOf('0.4.2', '0.4.2'), verdictOf('0.4.2')]).toEqual(['pass', 'pass']);
  expect([verdictOf('0.4.1', '0.4.2'), verdictOf('1.9.0', '1.2.3')]).toEqual(['warn', 'warn']);
  expect([verdictOf('0.3.9', '0.4.0'), verdictOf('2.0.0', '1.9.9')]).toEqual(['refuse', 'refuse']);
});

test('a mover whose clock is off is a warning', () => {
  const late = { ...seen, now: new Date(askedAt - 120_000).toISOString() };
  expect(moverChecks({ seen: late }, question)[2]).toMatchObject({
    id: 'mover-clock',
    verdict: 'warn',
    seen: 'its clock is 120 s behind ours',
  });
});

test('S001-9 S000-5 a mover of another family is allowed with the reason, and refused where the policy asks for the same', () => {
  const windows = { ...question, os: { family: 'windows' } } as const;
  expect(systemCheck('linux', windows)).toMatchObject({
    requirement: 'S001-9',
    verdict: 'pass',
    seen: 'a linux mover for a windows machine: allowed, because the mover writes blocks and mounts nothing',
  });
  expect(systemCheck('linux', { ...windows, sameSystem: true })).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringContaining('Name a windows mover'),
  });
  expect(systemCheck('win32', { ...windows, sameSystem: true }).verdict).toBe('pass');
  expect(systemCheck('linux', { ...question, os: undefined, sameSystem: true }).seen).toContain(
    'does not say its system',
  );
});

test('S000-6 an endpoint that is not reached is refused with the port and the side to open it from', () => {
  const closed = { name: 'the sign-in', address: 'login.example:8443', ms: 3, problem: 'ECONNREFUSED', hint: 'Look.' };
  expect(endpointCheck('mover-1', closed)).toMatchObject({
    requirement: 'S000-6',
    verdict: 'refuse',
    seen: 'the sign-in at login.example:8443 did not answer as it must: ECONNREFUSED',
    remedy: 'Open TCP 8443 from mover mover-1 to login.example in the firewalls between. Look.',
  });
});

test('a datastore that is not mounted where the inventory says is refused', () => {
  const gone = { datastore: 'ds-1', folder: '/mnt/ds-1', problem: 'ENOENT' };
  expect(mountCheck('mover-1', gone)).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringContaining('Mount ds-1'),
  });
  expect(blocking(moverChecks({ seen: { ...seen, mounts: [gone] } }, question))).toHaveLength(1);
});

test('S3 a mounted datastore whose file system takes no direct I/O is warned of before anything is copied, with what to do', () => {
  const mount = { datastore: 'ds-1', folder: '/mnt/ds-1', cached: true } as const;
  expect(mountCheck('mover-1', mount)).toMatchObject({
    id: 'mover-mount',
    verdict: 'warn',
    seen: expect.stringMatching(/ds-1.*no direct I\/O.*page cache/),
    remedy: expect.stringMatching(/movers.mover-1.datastores/),
  });
});
