/**
 * Whether what comes home fits what stands there: each check asked once where it passes and once where it does not.
 * Rule: trouble is in the inventory the simulator starts with, or in what the wire says where the simulator cannot be
 * brought to say it. Every refusal must carry a remedy.
 */
import type { Check, Verdict } from '../../model/check.ts';
import type { TargetPreflight } from '../../sites/target.ts';
import type { Transport } from '../../sites/vsphere/transport.ts';
import {
  answering,
  diskOf,
  MiB,
  moverPath,
  onSimulator,
  original,
  pathOf,
  quietWork,
  type Simulator,
  saying,
} from './simulator.ts';

let simulator: Simulator;
const work = quietWork();
const source = { generation: 2, secureBoot: false, size: 'Standard_D2s_v5', nics: 1 } as const;

const network = 'VM Network';
const like = (name: string, more: object) => ({ ...original(name), firmware: 'efi' as const, ...more });
onSimulator(
  [
    like('fits', { cpus: 2, memoryMiB: 256, nics: [{ network }] }),
    like('bios', { firmware: 'bios', nics: [{ network }, { network }] }),
    like('wide', { cpus: 64, memoryMiB: 1 << 20 }),
  ],
  (started) => {
    simulator = started;
  },
);

async function ask(name: string, request: Partial<TargetPreflight> = {}, transport?: Transport): Promise<Check[]> {
  const target = simulator.target(transport ? { transport } : {});
  const asked = {
    path: pathOf(name),
    mover: moverPath,
    write: 'in-place',
    diskSizesBytes: [8 * MiB, 4 * MiB],
  } as const;
  return target.preflight({ ...asked, source, ...request }, work);
}
const named = (checks: readonly Check[], id: string): Check | undefined => checks.find((one) => one.id === id);

test('a machine at home that is as the source was passes every check', async () => {
  const checks = await ask('fits');
  expect(checks.filter((one) => one.verdict !== 'pass')).toEqual([]);
  expect(named(checks, 'target-firmware')?.seen).toBe('the machine at home boots by efi, as the source does');
});

const differing: readonly [
  title: string,
  id: string,
  verdict: Verdict,
  how: { readonly name?: string; readonly source?: TargetPreflight['source']; readonly says?: Record<string, string> },
  seen: RegExp,
  remedy: RegExp,
][] = [
  [
    'R7 a generation 2 machine whose place at home boots by BIOS is refused',
    'target-firmware',
    'refuse',
    { name: 'bios' },
    /boots by bios, the source is of generation 2 and needs efi/,
    /firmware to EFI/,
  ],
  [
    'R7 a generation 1 machine whose place at home boots by EFI is refused',
    'target-firmware',
    'refuse',
    { source: { ...source, generation: 1 } },
    /needs bios/,
    /firmware to BIOS/,
  ],
  [
    'secure boot that only the source has is a warning',
    'target-secure-boot',
    'warn',
    { source: { ...source, secureBoot: true } },
    /off at home and on in the source/,
    /Switch secure boot on/,
  ],
  [
    'more virtual CPUs than the host has are refused',
    'target-cpus-fit-host',
    'refuse',
    { name: 'wide' },
    /it has 64 virtual CPUs, \S+ has 2/,
    /host that has as many/,
  ],
  [
    'more memory than the host has is a warning',
    'target-memory-fits-host',
    'warn',
    { name: 'wide' },
    /1048576 MiB of memory/,
    /larger host/,
  ],
  [
    'a smaller machine at home than in the source is a warning',
    'target-size',
    'warn',
    { source: { ...source, cpus: 8, memoryMiB: 32_768 } },
    /2 CPUs and 256 MiB at home, 8 and 32768 MiB in the source/,
    /slower at home/,
  ],
  [
    'fewer network cards at home than in the source are a warning',
    'target-nics',
    'warn',
    { source: { ...source, nics: 2 } },
    /network cards: 1 at home, 2 in the source/,
    /Add the missing network cards/,
  ],
  [
    'a host in maintenance mode is refused',
    'target-host',
    'refuse',
    { says: { 'runtime.inMaintenanceMode': 'true' } },
    /maintenance mode/,
    /leave maintenance mode/,
  ],
  [
    'a mover whose host is away is refused',
    'mover-host',
    'refuse',
    { says: { 'runtime.connectionState': 'notResponding' } },
    /is notResponding/,
    /connect it/,
  ],
  [
    'S000-10 a datastore that vCenter cannot reach is refused for the mover and for the target',
    'datastore-on-target-host',
    'refuse',
    { says: { 'summary.accessible': 'false' } },
    /not accessible/,
    /host of the target/,
  ],
  [
    'a datastore on its way into maintenance is refused',
    'datastore-on-mover-host',
    'refuse',
    { says: { 'summary.maintenanceMode': 'enteringMaintenance' } },
    /in maintenance \(enteringMaintenance\)/,
    /Mount the datastore/,
  ],
];

test.each(differing)(
  '%s',
  async (_title, id, verdict, { name = 'fits', source: from = source, says }, seen, remedy) => {
    const checks = await ask(name, { source: from }, says && saying(simulator.ca, says));
    expect(named(checks, id)).toMatchObject({
      verdict,
      seen: expect.stringMatching(seen),
      remedy: expect.stringMatching(remedy),
    });
  },
);

test('what the source does not say is not compared, and the check says so', async () => {
  const checks = await ask('bios', { source: { nics: 1 } });
  expect(named(checks, 'target-firmware')).toMatchObject({
    verdict: 'pass',
    seen: expect.stringContaining('does not say its generation'),
  });
  expect(named(checks, 'target-size')).toBeUndefined();
});

const reread = (change: (body: string) => string): Transport => answering(simulator.ca, 'RetrievePropertiesEx', change);

test('thin disks that may outgrow their datastore are a warning', async () => {
  const growing = (bytes: number) => reread((body) => body.replace(/<uncommitted>[^<]*/g, `<uncommitted>${bytes}`));
  expect(named(await ask('fits', {}, growing(2 ** 50)), 'datastore-room-to-grow')).toMatchObject({
    verdict: 'warn',
    seen: expect.stringContaining('the thin disks may grow by 1.0 PiB'),
    remedy: expect.stringContaining('a full one stops the copy'),
  });
  expect(named(await ask('fits', {}, growing(1)), 'datastore-room-to-grow')?.verdict).toBe('pass');
});

test('a network card whose port group its host does not have is refused', async () => {
  const checks = await ask(
    'fits',
    {},
    reread((body) =>
      body
        .replaceAll('<deviceName>VM Network<', '<deviceName>Gone<')
        .replace(/<network type="Network">[^<]*<\/network>/g, ''),
    ),
  );
  expect(named(checks, 'target-networks')).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining('“Gone”'),
  });
});

test('a machine that vSphere encrypts is refused', async () => {
  const type = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="CryptoKeyId"';
  const key = `<propSet><name>config.keyId</name><val ${type}><keyId>key-1</keyId></val></propSet>`;
  const checks = await ask(
    'fits',
    {},
    reread((body) => body.replace(/<propSet><name>config\.firmware/, `${key}$&`)),
  );
  expect(named(checks, 'target-not-encrypted')).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringContaining('Decrypt'),
  });
});

test('a disk that forgets is refused, one outside of snapshots is a warning, a shared bus is refused', async () => {
  const mode = (word: string) => reread((body) => body.replaceAll('<diskMode>persistent<', `<diskMode>${word}<`));
  expect(named(await ask('fits', {}, mode('independent_nonpersistent')), 'target-disk-modes')).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining(`${diskOf('fits')} is independent_nonpersistent`),
  });
  expect(named(await ask('fits', {}, mode('independent_persistent')), 'target-disk-modes')?.verdict).toBe('warn');
  const shared = reread((body) => body.replaceAll('<sharedBus>noSharing<', '<sharedBus>physicalSharing<'));
  expect(named(await ask('fits', {}, shared), 'target-bus-not-shared')).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining('1000'),
  });
});

test('raw device mappings, disks of several writers, and layered disks are refused by name', async () => {
  const kinds: [words: RegExp, change: (body: string) => string][] = [
    [
      /raw device mapping/,
      (body) => body.replaceAll('"VirtualDiskFlatVer2BackingInfo"', '"VirtualDiskRawDiskMappingVer1BackingInfo"'),
    ],
    [
      /shared by several machines/,
      (body) => body.replaceAll('</diskMode>', '</diskMode><sharing>sharingMultiWriter</sharing>'),
    ],
    [/it is encrypted/, (body) => body.replaceAll('</diskMode>', '</diskMode><keyId><keyId>k</keyId></keyId>')],
  ];
  for (const [words, change] of kinds)
    expect(named(await ask('fits', {}, reread(change)), 'target-disk-kinds')).toMatchObject({
      verdict: 'refuse',
      seen: expect.stringMatching(words),
      remedy: expect.stringContaining('ordinary virtual disks'),
    });
});

test('S000-23 a datastore that is mounted read-only, or not at all, on the mover’s host is refused', async () => {
  const readOnly = reread((body) => body.replaceAll('<accessMode>readWrite<', '<accessMode>readOnly<'));
  expect(named(await ask('fits', {}, readOnly), 'datastore-on-mover-host')).toMatchObject({
    requirement: 'S000-23',
    verdict: 'refuse',
    seen: 'lab-ds is mounted readOnly on the mover’s host',
  });
  const unmounted = reread((body) => body.replaceAll('<mounted>true<', '<mounted>false<'));
  expect(named(await ask('fits', {}, unmounted), 'datastore-on-mover-host')?.seen).toContain('cannot be reached');
  expect(named(await ask('fits'), 'datastore-on-mover-host')?.verdict).toBe('pass');
});

test('S000-11 a single host, which a free licence lets no one change by API, is refused', async () => {
  const host = answering(simulator.ca, 'RetrieveServiceContent', (body) =>
    body.replace('<apiType>VirtualCenter<', '<apiType>HostAgent<'),
  );
  const checks = await ask('fits', {}, host);
  expect(checks.at(-1)).toMatchObject({ id: 'vcenter-edition', requirement: 'S000-11', verdict: 'refuse' });
  expect(named(await ask('fits'), 'vcenter-edition')?.verdict).toBe('pass');
});

test('a vCenter whose clock is off is a warning', async () => {
  const late = answering(simulator.ca, 'CurrentTime', (body) =>
    body.replace(/(<returnval[^>]*>)[^<]*/, `$1${new Date(Date.now() - 600_000).toISOString()}`),
  );
  expect(named(await ask('fits', {}, late), 'vcenter-clock')).toMatchObject({
    verdict: 'warn',
    seen: expect.stringMatching(/^its clock is (599|60\d) s behind ours$/),
  });
});

test('S000-8 a read-only account is refused with every privilege it lacks', async () => {
  const readOnly = (await ask('fits')).filter((one) => one.id === 'vcenter-privileges').map((one) => one.verdict);
  expect(readOnly).toEqual(['pass', 'pass', 'pass']);
  const lacking = answering(simulator.ca, 'HasPrivilegeOnEntities', (body) =>
    body.replace(/<privId>(?!System)([^<]*)<\/privId><isGranted>true/g, '<privId>$1</privId><isGranted>false'),
  );
  const refused = (await ask('fits', {}, lacking)).filter((one) => one.id === 'vcenter-privileges');
  expect(refused.map((one) => one.seen)).toEqual([
    'missing: VirtualMachine.Config.AddExistingDisk, VirtualMachine.Config.RemoveDisk, VirtualMachine.Config.AdvancedConfig, VirtualMachine.Interact.PowerOn, VirtualMachine.Interact.PowerOff',
    'missing: VirtualMachine.Config.AddExistingDisk, VirtualMachine.Config.RemoveDisk',
    'missing: Datastore.Browse, Datastore.AllocateSpace',
  ]);
  expect(refused.every((one) => one.verdict === 'refuse' && one.remedy?.includes('role'))).toBe(true);
});
