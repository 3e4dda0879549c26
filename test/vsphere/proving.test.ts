/** Proving first against the simulator: apart from everybody, forgotten at the power-off, put back, and never live by mistake. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../../model/failure.ts';
import type { Transport } from '../../sites/vsphere/transport.ts';
import {
  answering,
  moverPath,
  onSimulator,
  original,
  pathOf,
  powerOf,
  quietWork,
  requestFor,
  returnedBy,
  runA,
  runB,
  type Simulator,
} from './simulator.ts';

const names = ['proves', 'twice', 'live', 'stranger', 'nowhere', 'runs', 'left', 'garbled'];
const isolatedNetwork = 'DC0_DVPG0';
let simulator: Simulator;
const work = quietWork();
onSimulator(
  names.map((name) => ({
    ...original(name),
    nics: [{ network: 'VM Network' }, { network: 'VM Network' }],
    extraConfig: returnedBy(name),
  })),
  (started) => {
    simulator = started;
  },
);

interface Row {
  readonly name: string;
  readonly power: string;
  readonly nics: readonly { readonly network: string; readonly mac: string }[];
  readonly disks: readonly {
    readonly mode: string;
    readonly path: string;
    readonly redo?: string;
    readonly uuid: string;
  }[];
}
async function row(name: string): Promise<Row> {
  const found = ((await simulator.door('GET', '/state')) as readonly Row[]).find((one) => one.name === name);
  if (!found) throw new Error(`no machine ${name}`);
  return found;
}
const failureOf = (act: Promise<unknown>): Promise<Failure> =>
  act.then(
    () => Promise.reject(new Error('no failure was thrown')),
    (error: unknown) => error as Failure,
  );
const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test('S3 the boot apart writes nothing that stays: NICs on the isolated network, disks that forget, and afterwards all as before', async () => {
  const target = simulator.target({ isolatedNetwork });
  const before = await row('proves');
  const sealed = await Promise.all(before.disks.map(({ path }) => sha256(path)));
  expect((await target.ensureProofStarted(powerOf('proves'), work)).power).toBe('running');
  const apart = await row('proves');
  expect(new Set(apart.nics.map(({ network }) => network)).size).toBe(1);
  expect(apart.nics[0]?.network).not.toBe('VM Network');
  expect(apart.nics.map(({ mac }) => mac)).toEqual(before.nics.map(({ mac }) => mac));
  for (const disk of apart.disks) {
    expect(disk.mode).toBe('independent_nonpersistent');
    await writeFile(disk.redo ?? '', 'what the boot wrote', { flag: 'r+' });
  }
  expect((await target.ensureProofEnded(powerOf('proves'), work)).power).toBe('stopped');
  const after = await row('proves');
  expect({ ...after, extraConfig: undefined }).toEqual({ ...before, extraConfig: undefined });
  expect(await Promise.all(after.disks.map(({ path }) => sha256(path)))).toEqual(sealed);
  for (const { redo } of apart.disks) await expect(readFile(redo ?? '')).rejects.toThrow(/ENOENT/);
  expect((await target.ensureStarted(powerOf('proves'), work)).power).toBe('running');
});

test('each step is safe twice, also when its answer was lost', async () => {
  const target = simulator.target({ isolatedNetwork });
  const before = await row('twice');
  await simulator.door('POST', '/rules', { method: 'ReconfigVM_Task', objectName: 'twice', action: 'dropAfter' });
  await target.ensureProofStarted(powerOf('twice'), work);
  await target.ensureProofStarted(powerOf('twice'), work);
  await simulator.door('DELETE', '/rules');
  await target.ensureProofEnded(powerOf('twice'), work);
  await target.ensureProofEnded(powerOf('twice'), work);
  expect({ ...(await row('twice')), extraConfig: undefined }).toEqual({ ...before, extraConfig: undefined });
});

test('S3 a machine that is set up to be proven apart is never started for its users', async () => {
  const target = simulator.target({ isolatedNetwork });
  await target.ensureProofStarted(powerOf('live'), work);
  await simulator.door('POST', '/power', { vm: 'live', state: 'off' });
  const failure = await failureOf(target.ensureStarted(powerOf('live'), work));
  expect(failure).toMatchObject({ kind: 'Refused', message: expect.stringContaining('set up to be proven apart') });
  expect((await row('live')).power).toBe('off');
  await target.ensureProofEnded(powerOf('live'), work);
  expect((await target.ensureStarted(powerOf('live'), work)).power).toBe('running');
});

test('a machine that another run marked is neither set up nor put back', async () => {
  const target = simulator.target({ isolatedNetwork });
  const failure = await failureOf(target.ensureProofStarted(powerOf('stranger', runB), work));
  expect(failure.kind).toBe('Refused');
  expect((await row('stranger')).power).toBe('off');
});

test('a site without an isolated network, or with one that its host does not have, refuses with what to write where', async () => {
  const none = await failureOf(simulator.target().ensureProofStarted(powerOf('nowhere'), work));
  expect(none).toMatchObject({ op: 'prove-isolated', hint: expect.stringContaining('isolatedNetwork') });
  const wrong = simulator.target({ isolatedNetwork: 'no such group' });
  expect((await failureOf(wrong.ensureProofStarted(powerOf('nowhere'), work))).message).toContain('no such group');
});

test('a machine that somebody started already is not proven apart', async () => {
  await simulator.door('POST', '/power', { vm: 'runs', state: 'on' });
  const failure = await failureOf(simulator.target({ isolatedNetwork }).ensureProofStarted(powerOf('runs'), work));
  expect(failure.message).toContain('runs is poweredOn already');
  expect((await row('runs')).nics[0]?.network).toBe('VM Network');
  expect(pathOf('runs')).toContain(join('vm', 'runs'));
});

test('S000-8 what a proof and scripts need at home is asked for only where the policy wants them, each by name, and the networks to come back to', async () => {
  const asked = async (isolated: string | undefined, wishes: { scripts?: true; prove?: true }) => {
    const target = simulator.target(isolated === undefined ? {} : { isolatedNetwork: isolated });
    const request = { path: pathOf('nowhere'), mover: moverPath, write: 'in-place', diskSizesBytes: [] } as const;
    const checks = await target.preflight({ ...request, ...wishes }, work);
    const network = checks.find(({ id }) => id === 'target-isolated-network');
    const missing = checks.filter(({ id, verdict }) => id === 'vcenter-privileges' && verdict === 'refuse');
    return { network, missing: missing.map(({ subject, seen }) => `${subject} ${seen}`) };
  };
  const both = { scripts: true, prove: true } as const;
  expect(await asked(undefined, {})).toEqual({ network: undefined, missing: [] });
  expect(await asked(isolatedNetwork, both)).toMatchObject({ network: { verdict: 'pass' }, missing: [] });
  expect(await asked('no such group', both)).toMatchObject({
    network: { verdict: 'refuse', seen: expect.stringContaining('no such group'), remedy: expect.any(String) },
  });
  await simulator.door('POST', '/privileges', {
    deny: ['VirtualMachine.GuestOperations.Execute', 'VirtualMachine.Config.EditDevice', 'Network.Assign'],
  });
  expect((await asked(isolatedNetwork, {})).missing).toEqual([]);
  expect((await asked(isolatedNetwork, both)).missing).toEqual([
    `${pathOf('nowhere')} missing: VirtualMachine.GuestOperations.Execute, VirtualMachine.Config.EditDevice`,
    `${isolatedNetwork} missing: Network.Assign`,
    'VM Network missing: Network.Assign',
  ]);
  await simulator.door('POST', '/privileges', { deny: [] });
});

test('S3 a NIC on an NSX network, which could not be put back, is refused by name before anything moves, where the policy proves apart', async () => {
  const opaque = answering(simulator.ca, 'RetrievePropertiesEx', (body) =>
    body.replace(
      /<backing (\S+)="VirtualEthernetCardNetworkBackingInfo">.*?<\/backing>/s,
      '<backing $1="VirtualEthernetCardOpaqueNetworkBackingInfo"><opaqueNetworkId>7</opaqueNetworkId><opaqueNetworkType>nsx.LogicalSwitch</opaqueNetworkType></backing>',
    ),
  );
  const asked = async (prove: boolean, transport?: Transport) => {
    const target = simulator.target({ isolatedNetwork, ...(transport ? { transport } : {}) });
    const request = {
      path: pathOf('nowhere'),
      mover: moverPath,
      write: 'in-place',
      diskSizesBytes: [],
      prove,
    } as const;
    return (await target.preflight(request, work)).find(({ id }) => id === 'target-nics-put-back');
  };
  expect(await asked(true)).toMatchObject({ verdict: 'pass' });
  expect(await asked(false, opaque)).toBeUndefined();
  expect(await asked(true, opaque)).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringMatching(/^NIC \d+ is connected by VirtualEthernetCardOpaqueNetworkBackingInfo: it could not/),
    remedy: expect.stringContaining('prove: isolated'),
  });
});

const askBy = async (name: string, run: string) => {
  const target = simulator.target();
  const { path, mover, pairs } = await requestFor(target, name, 'in-place', run);
  const diskSizesBytes = pairs.map(({ source }) => source.sizeBytes);
  const checks = await target.preflight({ path, mover, write: 'in-place', diskSizesBytes }, work);
  return (id: string) => checks.find((one) => one.id === id);
};

test('S3 S11 a machine that a run left as it was proven is told by preflight, and put back by the next run before it takes a disk', async () => {
  const before = await row('left');
  expect((await askBy('left', runB))('target-proof-left')).toMatchObject({ verdict: 'pass' });
  await simulator.target({ isolatedNetwork }).ensureProofStarted(powerOf('left'), work);
  await simulator.door('POST', '/power', { vm: 'left', state: 'off' });
  const told = await askBy('left', runB);
  expect(told('target-proof-left')).toMatchObject({ verdict: 'warn', remedy: expect.stringContaining('puts') });
  expect(told('target-disk-modes')).toMatchObject({ verdict: 'pass' });
  // Never live, but sealed, it may be the last copy all the same.
  expect(told('target-not-half-written')).toMatchObject({ verdict: 'refuse' });
  const target = simulator.target();
  const request = { ...(await requestFor(target, 'left', 'in-place', runB)), discards: runA };
  await target.ensureDisksOpen(request, work);
  expect((await row('left')).nics).toEqual(before.nics);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  expect((await row('left')).disks.map(({ mode }) => mode)).toEqual(before.disks.map(({ mode }) => mode));
  expect((await target.ensureStarted(powerOf('left', runB), work)).power).toBe('running');
});

test('S11 how a machine was connected is not forgotten while it cannot be read: preflight and the next run refuse', async () => {
  const key = 'homeward.proof';
  await simulator.byHand('garbled', { extraConfig: [{ key, value: '{"nics":' }] });
  expect((await askBy('garbled', runB))('target-proof-left')).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringContaining(key),
  });
  const target = simulator.target();
  const later = { ...(await requestFor(target, 'garbled', 'in-place', runB)), discards: runA };
  const failure = await failureOf(target.ensureDisksOpen(later, work));
  expect(failure).toMatchObject({ kind: 'Refused', hint: expect.stringContaining(key) });
  const { extraConfig } = (await row('garbled')) as Row & { extraConfig: Readonly<Record<string, string>> };
  expect(extraConfig[key]).toBe('{"nics":');
  await target.ensureFinished(await requestFor(target, 'garbled'), work);
  const after = (await row('garbled')) as Row & { extraConfig: Readonly<Record<string, string>> };
  expect(after.extraConfig).toMatchObject({ [key]: '{"nics":' });
});
