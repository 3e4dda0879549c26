/** What the inventory's words on a machine's origin refuse, warn of, and let pass. */
import { type Origin, originChecks, type Platform } from '../../model/origin.ts';

const from = (more: Partial<Origin> = {}): Origin => ({ kind: 'vmware', state: 'failed-over', ...more });
const verdicts = (origin: Origin | undefined, platform: Platform = 'vmware', os?: string): Record<string, string> =>
  Object.fromEntries(
    originChecks(origin, { subject: 'rg/erp-db', platform, os }).map(({ id, verdict }) => [id, verdict]),
  );
const refusal = (origin: Origin, platform: Platform = 'vmware', os?: string) =>
  originChecks(origin, { subject: 'rg/erp-db', platform, os }).find((check) => check.verdict === 'refuse');

const clear = {
  'origin-not-migrated': 'pass',
  'origin-protection': 'pass',
  'origin-platform': 'pass',
  'origin-system': 'pass',
};

test('a machine that failed over from VMware and goes back there passes every guard of its origin', () => {
  expect(verdicts(from({ os: 'Debian 12' }))).toEqual(clear);
});

test('what nobody wrote down refuses nothing, and the answer says that nothing was guarded', () => {
  expect(verdicts(undefined)).toEqual({ origin: 'pass' });
});

const old = 'Windows Server 2008 R2 SP1';

test('S000-12 S001-2 a physical server with Windows Server 2008R2 SP1 is refused, as written or as its agent tells', () => {
  expect(refusal(from({ kind: 'physical', os: old }))).toMatchObject({ id: 'origin-system', requirement: 'S000-12' });
  const told = refusal(from({ kind: 'physical' }), 'vmware', 'Windows Server 2008 R2 Datacenter 6.1.7601');
  expect(told?.seen).toContain('6.1.7601');
  expect(told?.remedy).toMatch(/newer Windows Server/);
});

test('S000-12 S001-2 the same system on a virtual machine, and a newer one on a physical server, may return', () => {
  expect(verdicts(from({ os: old }))).toEqual(clear);
  expect(verdicts(from({ kind: 'physical', os: 'Windows Server 2019' }))).toEqual(clear);
});

test('S000-13 S001-3 a machine from VMware is refused on a Hyper-V target', () => {
  expect(refusal(from(), 'hyper-v')).toMatchObject({ id: 'origin-platform', requirement: 'S000-13' });
  expect(refusal(from(), 'hyper-v')?.remedy).toMatch(/vSphere site/);
});

test('S000-13 S001-3 from Hyper-V to Hyper-V passes, from Hyper-V to VMware is a warning about drivers', () => {
  expect(verdicts(from({ kind: 'hyper-v' }), 'hyper-v')).toEqual(clear);
  expect(verdicts(from({ kind: 'hyper-v' }))).toEqual({ ...clear, 'origin-platform': 'warn' });
});

test('S000-14 S001-1 a machine whose migration was completed is refused, with how to take that back', () => {
  expect(refusal(from({ state: 'migrated' }))).toMatchObject({
    id: 'origin-not-migrated',
    requirement: 'S000-14',
    remedy: expect.stringMatching(/origin\.state: failed-over.*start again/),
  });
});

test('S001-1 a machine whose protection was switched off is refused until somebody says that it still serves', () => {
  expect(refusal(from({ state: 'protection-disabled' }))).toMatchObject({
    id: 'origin-protection',
    requirement: 'S001-1',
    remedy: expect.stringMatching(/still the machine that serves/),
  });
});
