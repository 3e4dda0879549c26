/** The source's preflight checks, one fixture a check, against the lab's simulator. */
import type { Check } from '../../model/check.ts';
import { missingActions } from '../../sites/azure/rights.ts';
import { createAzureSource } from '../../sites/azure/source-site.ts';
import { type AzureLab, failureOf, group, openAzureLab, path, quiet } from './azure-lab.ts';

let lab: AzureLab;
afterEach(() => lab.close());
/** What is asked about the machine at `at`. */
const about = (at = path, guestAgentWithinSeconds = 900) => ({ path: at, guestAgentWithinSeconds });
const checksOf = async (at = path): Promise<Check[]> => lab.source.preflight(about(at), quiet());
const verdictOf = (checks: readonly Check[], id: string): string[] =>
  checks.filter((check) => check.id === id).map((check) => check.verdict);

test('a machine that may come home passes every check, and nothing is changed by asking', async () => {
  lab = await openAzureLab();
  const checks = await checksOf();
  expect(checks.filter((check) => check.verdict !== 'pass')).toEqual([]);
  expect(checks.map((check) => check.id)).toEqual(
    expect.arrayContaining([
      'azure-login',
      'azure-reachable',
      'source-found',
      'source-managed-disks',
      'snapshot-quota',
    ]),
  );
  const calls = lab.calls().filter((call) => !call.startsWith('entra.'));
  expect(calls.filter((call) => !/\.(get|list\w*)$/.test(call))).toEqual([]);
});

test('a wrong secret is one refusing check with a remedy, and the rest is not asked', async () => {
  lab = await openAzureLab({}, 'wrong');
  const checks = await checksOf();
  expect(checks).toMatchObject([{ id: 'azure-login', verdict: 'refuse' }]);
  expect(checks[0]?.remedy).toContain('secret');
  expect(JSON.stringify(checks)).not.toContain('"wrong"');
  expect((await failureOf(lab.source.observeMachine(path, quiet()))).kind).toBe('Refused');
});

test('an Azure that cannot be reached is one refusing check', async () => {
  lab = await openAzureLab();
  const config = { ...lab.config, endpoint: 'https://localhost:9' };
  const source = createAzureSource({ site: 'azure', config, ca: lab.ca, secretOf: () => 'right' });
  const checks = await source.preflight(about(), quiet());
  expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['azure-login', 'pass'],
    ['azure-reachable', 'refuse'],
  ]);
  expect((await failureOf(source.observeMachine(path, quiet()))).kind).toBe('Transient');
});

test('an authority nobody vouches for is refused with a word about caFile', async () => {
  lab = await openAzureLab();
  const source = createAzureSource({ site: 'azure', config: lab.config, secretOf: () => 'right' });
  const [login] = await source.preflight(about(), quiet());
  expect(login).toMatchObject({ id: 'azure-login', verdict: 'refuse', remedy: expect.stringContaining('caFile') });
});

test('a login that breaks off on the wire is Transient, whatever the login library makes of it', async () => {
  lab = await openAzureLab();
  const actions = [{ drop: 'before' as const }, { status: 503 }, { status: 500 }, { status: 429, retryAfter: 3 }];
  for (const operation of ['entra.discovery', 'entra.token'])
    for (const action of actions) {
      lab.fault(operation, action, { count: 9 });
      const source = createAzureSource({ site: 'azure', config: lab.config, ca: lab.ca, secretOf: () => 'right' });
      const { kind } = await failureOf(source.observeMachine(path, quiet()));
      expect([operation, action, kind]).toEqual([operation, action, 'Transient']);
      lab.faults.remove();
    }
});

test('S000-16 S001-1 a deleted machine is refused', async () => {
  lab = await openAzureLab();
  const checks = await checksOf(`${group}/gone`);
  expect(checks).toContainEqual(
    expect.objectContaining({ id: 'source-found', verdict: 'refuse', requirement: 'S000-16' }),
  );
});

test('a machine that does not run is a warning', async () => {
  lab = await openAzureLab();
  await lab.world.powerOff(lab.world.machine(group, 'erp-db'), 'deallocated');
  expect(verdictOf(await checksOf(), 'source-running')).toEqual(['warn']);
});

/** How the agent inside a machine that booted some time ago is judged. */
async function agentAfter(bootedSecondsAgo: number, settings: object, withinSeconds = 900): Promise<Check | undefined> {
  lab = await openAzureLab(settings);
  const bootedAt = new Date(Date.now() - bootedSecondsAgo * 1000).toISOString();
  // A data disk that was attached since tells nothing of the boot.
  lab.world.disk(group, 'erp-db-os').ownershipChangedAt = bootedAt;
  const checks = await lab.source.preflight(about(path, withinSeconds), quiet());
  return checks.find((check) => check.id === 'source-guest-agent');
}

test('S000-22 an agent that reports passes', async () => {
  expect(await agentAfter(60, {})).toMatchObject({ verdict: 'pass', requirement: 'S000-22' });
});

test('S000-22 an agent that is silent within 15 minutes of the boot is waited for: since when, until when, for what', async () => {
  const seen = await agentAfter(60, { agentAfterMs: 3_600_000 });
  expect(seen).toMatchObject({ verdict: 'wait', wait: { for: 'the Azure VM agent to report' } });
  const { since = '', until = '' } = seen?.wait ?? {};
  expect(Date.parse(until) - Date.parse(since)).toBe(900_000);
  expect(seen?.seen).toContain(until);
});

test('S000-22 an agent that is silent for longer is refused with what to look at, unless the policy does not ask for it', async () => {
  const seen = await agentAfter(1_000, { agentAfterMs: 3_600_000 });
  expect(seen).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringMatching(/walinuxagent.*guestAgentWithinSeconds: 0/),
  });
  expect(seen?.seen).toContain('17 minutes after its boot');
  await lab.close();
  expect(await agentAfter(1_000, { agentAfterMs: 3_600_000 }, 0)).toMatchObject({ verdict: 'pass' });
});

test('S000-22 the agent of a machine that does not run is not asked for', async () => {
  lab = await openAzureLab({ agentAfterMs: 3_600_000 });
  await lab.world.powerOff(lab.world.machine(group, 'erp-db'), 'deallocated');
  expect(verdictOf(await checksOf(), 'source-guest-agent')).toEqual(['pass']);
});

test.each([
  [0, 'pass', 'agrees with ours'],
  [-90_000, 'warn', 's behind ours'],
  [600_000, 'warn', 's ahead of ours'],
])('R7 a clock of Azure that is %d ms ahead of ours is told as %s', async (clockOffsetMs, verdict, words) => {
  lab = await openAzureLab({ clockOffsetMs });
  const clock = (await checksOf()).find((check) => check.id === 'azure-clock');
  expect(clock?.verdict).toBe(verdict);
  expect(clock?.seen).toContain(words);
});

test('rights that are missing are named, those of the way apart from those that only the commit needs', async () => {
  lab = await openAzureLab({
    deniedActions: ['Microsoft.Compute/snapshots/write', 'Microsoft.Network/networkInterfaces/delete'],
  });
  const rights = (await checksOf()).filter((check) => check.id.startsWith('azure-permissions'));
  expect(rights.map(({ id, verdict, seen }) => [id, verdict, seen])).toEqual([
    ['azure-permissions', 'refuse', `missing on ${group}: Microsoft.Compute/snapshots/write`],
    [
      'azure-permissions-commit',
      'refuse',
      `missing on ${group} for the deletion after the commit: Microsoft.Network/networkInterfaces/delete`,
    ],
  ]);
});

test('rights are asked for in every resource group the machine has a part in, and what is missing is named with its group', async () => {
  lab = await openAzureLab({
    deniedIn: { 'rg-data': ['Microsoft.Compute/disks/delete', 'Microsoft.Compute/virtualMachines/delete'] },
  });
  const data = lab.world.disk(group, 'erp-db-data');
  lab.world.disks.delete(`${group}/erp-db-data`);
  lab.world.disks.set('rg-data/erp-db-data', { ...data, resourceGroup: 'rg-data' });
  const rights = (await checksOf()).filter((check) => check.id === 'azure-permissions-commit');
  expect(rights.map(({ subject, verdict }) => [subject, verdict])).toEqual([
    [group, 'pass'],
    ['rg-data', 'refuse'],
  ]);
  expect(rights[1]?.seen).toBe('missing on rg-data for the deletion after the commit: Microsoft.Compute/disks/delete');
  expect(rights[1]?.remedy).toContain('rg-data');
});

test('an Azure that is too busy to answer has said nothing: no check refuses, and the failure says when to ask again', async () => {
  lab = await openAzureLab();
  for (const operation of ['entra.token', 'virtualMachines.get', 'permissions.listForResourceGroup', 'disks.get'])
    for (const retryAfter of [7, 'none']) {
      lab.fault(operation, { status: 429, code: 'TooManyRequests', retryAfter }, { count: 9 });
      const source = createAzureSource({ site: 'azure', config: lab.config, ca: lab.ca, secretOf: () => 'right' });
      const failure = await failureOf(source.preflight(about(), quiet()));
      expect([operation, failure.kind, failure.busy]).toEqual([operation, 'Transient', true]);
      // What the login library makes of a login server's answer has no such header any more.
      const told = retryAfter === 7 && operation !== 'entra.token';
      expect(failure.retryAfterMs).toBe(told ? 7_000 : undefined);
      lab.faults.remove();
    }
});

test.each([
  ['with 4096-byte sectors', 4096],
  ['of a kind that has them by default, of which Azure says nothing,', undefined],
])('S3 a disk %s is refused by name, an Ultra disk is a warning', async (_, sectorBytes) => {
  lab = await openAzureLab();
  const data = lab.world.disk(group, 'erp-db-data');
  lab.world.disks.set(`${group}/erp-db-data`, { ...data, sectorBytes, sku: 'PremiumV2_LRS' });
  const checks = await checksOf();
  const refused = checks.filter((check) => check.verdict === 'refuse');
  expect(refused).toMatchObject([{ id: 'source-disk-sector-size', seen: expect.stringContaining('erp-db-data') }]);
  expect(verdictOf(checks, 'source-disk-kind')).toEqual(['pass', 'warn']);
});

test('S1 a disk whose last start Azure does not tell is refused', async () => {
  lab = await openAzureLab();
  lab.world.disk(group, 'erp-db-data').ownershipChangedAt = undefined;
  expect(verdictOf(await checksOf(), 'source-disk-ownership-time')).toEqual(['pass', 'refuse']);
});

test('actions are matched as Azure does: wildcards anywhere, notActions, any case, one entry at a time', () => {
  const needed = ['Microsoft.Compute/disks/read', 'Microsoft.Compute/disks/delete'];
  expect(missingActions([{ actions: ['*'], notActions: [] }], needed)).toEqual([]);
  expect(missingActions([{ actions: ['*/read'], notActions: [] }], needed)).toEqual(['Microsoft.Compute/disks/delete']);
  expect(missingActions([{ actions: ['microsoft.compute/*'], notActions: ['*/delete'] }], needed)).toEqual([needed[1]]);
  expect(
    missingActions(
      [
        { actions: ['*'], notActions: ['*/Delete'] },
        { actions: ['Microsoft.Compute/*/delete'], notActions: [] },
      ],
      needed,
    ),
  ).toEqual([]);
  expect(missingActions([], needed)).toEqual(needed);
});
