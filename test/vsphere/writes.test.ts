/**
 * What vCenter's counter tells of a machine's writes: the question as vCenter wants it, its answer, and what it cannot tell.
 * Rule: expected XML is written out by hand from the API reference; what a guest wrote is said at the simulator's own door.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sites } from '../../activities/preflight.ts';
import { createWritesActivities } from '../../activities/writes.ts';
import type { WriteSample, Written } from '../../model/written.ts';
import { createTransport, type Transport } from '../../sites/vsphere/transport.ts';
import { inActivity } from '../activities/in-activity.ts';
import {
  answering,
  onSimulator,
  original,
  pathOf,
  quietWork,
  returnedBy,
  runA,
  runB,
  type Simulator,
} from './simulator.ts';

const names = ['busy', 'counted', 'asked', 'other'];
const work = quietWork();
let simulator: Simulator;
onSimulator(
  names.map((name) => ({ ...original(name), power: 'on', extraConfig: returnedBy(name) })),
  (started) => {
    simulator = started;
  },
);
beforeAll(() => simulator.door('POST', '/samples', { seconds: 1 }));
afterEach(() => simulator.door('DELETE', '/rules'));

const of = (name: string, more: { after?: string; run?: string } = {}) => ({ path: pathOf(name), run: runA, ...more });
const sumOf = (samples: readonly WriteSample[]): number => samples.reduce((sum, { bytes }) => sum + bytes, 0);
const guestWrote = async (name: string, bytes: readonly number[]): Promise<void> => {
  const files = [`${name}/${name}`, `${name}/${name}_1`];
  const disks = bytes.map((one, at) => ({ path: `${simulator.datastoreFolder}/${files[at]}-flat.vmdk`, bytes: one }));
  expect(await simulator.door('POST', '/writes', { vm: name, disks })).toEqual({ counted: true });
};

test('S5 what the guest of a running machine wrote to all its disks is in the samples since its start, each of them once', async () => {
  const target = simulator.target();
  await guestWrote('busy', [12_288, 4_096]);
  let seen = await target.observeWrites(of('busy'), work);
  for (const end = Date.now() + 20_000; sumOf(seen.samples) === 0 && Date.now() < end; await pause(50))
    seen = await target.observeWrites(of('busy'), work);
  expect(sumOf(seen.samples)).toBe(16_384);
  expect(Date.parse(seen.startedAt ?? '')).toBeLessThan(Date.now());
  const { at: after = '' } = seen.samples.at(-1) ?? {};
  await guestWrote('busy', [0, 8_192]);
  let later = await target.observeWrites(of('busy', { after }), work);
  for (const end = Date.now() + 20_000; sumOf(later.samples) === 0 && Date.now() < end; await pause(50))
    later = await target.observeWrites(of('busy', { after }), work);
  expect(sumOf(later.samples)).toBe(8_192);
  expect(later.samples.every(({ at }) => Date.parse(at) > Date.parse(after))).toBe(true);
});

const counting = (target = simulator.target()) =>
  createWritesActivities({ target: () => target } as unknown as Sites).observeWritten;
const look = (name: string, since: string, written?: Written) => ({
  ...{ site: 'dc-home', path: pathOf(name), made: false },
  ...{ run: runA, since, ...(written && { written }) },
});

test('S5 a count goes on from the one before, counts nothing twice, and is an at least when that one is too long ago', async () => {
  const since = new Date().toISOString();
  await guestWrote('counted', [4_096]);
  const ask = (written?: Written) => inActivity(() => counting()(look('counted', since, written)));
  let first: Written | undefined;
  for (const end = Date.now() + 20_000; (first?.bytes ?? 0) < 4_096 && Date.now() < end; await pause(50))
    first = await ask().catch(() => undefined);
  expect(first).toEqual({ bytes: 4_096, until: expect.stringMatching(/Z$/) });
  await guestWrote('counted', [8_192]);
  let second = await ask(first);
  for (const end = Date.now() + 20_000; second.bytes < 12_288 && Date.now() < end; await pause(50))
    second = await ask(second);
  expect(second.bytes).toBe(12_288);
  expect(second).not.toHaveProperty('gap');
  const dayOld = { bytes: 5, until: new Date(Date.now() - 86_400_000).toISOString() };
  expect(await ask(dayOld)).toMatchObject({ bytes: 12_293, gap: true });
});

test('S5 a machine of which vCenter has no sample yet is not said to have written nothing', async () => {
  const target = simulator.target({ transport: answering(simulator.ca, 'QueryPerf', () => answered('')) });
  const asked = inActivity(() => counting(target)(look('asked', new Date().toISOString())));
  await expect(asked).rejects.toMatchObject({
    ...{ type: 'Transient', nonRetryable: false },
    message: expect.stringContaining('no sample'),
  });
});

test('S5 samples from before the start, and one that began before it, are no count since the start: nobody is told 0 B', async () => {
  const since = '2026-01-02T10:00:30.000Z';
  const ask = (...samples: WriteSample[]) => {
    const target = { ...simulator.target(), observeWrites: async () => ({ startedAt: since, samples }) };
    return inActivity(() => counting(target)(look('asked', since)));
  };
  const before = { at: '2026-01-02T10:00:20.000Z', seconds: 20, bytes: 0 };
  const across = { at: '2026-01-02T10:00:40.000Z', seconds: 20, bytes: 0 };
  const whole = { at: '2026-01-02T10:01:00.000Z', seconds: 20, bytes: 4_096 };
  for (const known of [[before], [before, across]])
    await expect(ask(...known)).rejects.toMatchObject({
      type: 'Transient',
      message: expect.stringContaining('no sample of its disks since its start'),
    });
  expect(await ask(before, across, whole)).toEqual({ bytes: 4_096, until: whole.at });
});

/** Keeps the bodies of the calls of one name. */
function listening(ca: string, op: string): { transport: Transport; heard: string[] } {
  const inner = createTransport({ ca });
  const heard: string[] = [];
  const exchange: Transport['exchange'] = (call) => {
    if (call.op === op) heard.push(call.body ?? '');
    return inner.exchange(call);
  };
  return { heard, transport: { exchange, close: () => inner.close() } };
}

test('real-time samples of every disk are asked for, with the fields in the order of the schema', async () => {
  const { transport, heard } = listening(simulator.ca, 'QueryPerf');
  await simulator.target({ transport }).observeWrites(of('asked', { after: '2026-01-02T10:00:00Z' }), work);
  const sent = (heard[0] ?? '').replace(/^.*<soap:Body>|<\/soap:Body>.*$/g, '').replace(/(<\/?)vim:/g, '$1');
  expect(sent).toMatch(
    new RegExp(
      '<querySpec><entity type="VirtualMachine">vm-\\d+</entity><startTime>2026-01-02T10:00:00Z</startTime>' +
        '<metricId><counterId>\\d+</counterId><instance>\\*</instance></metricId><intervalId>20</intervalId></querySpec>',
    ),
  );
});

const info = (at: string): string =>
  `<sampleInfo><timestamp>2026-01-02T10:${at}Z</timestamp><interval>20</interval></sampleInfo>`;
const series = (instance: string, values: readonly number[]): string =>
  `<value xsi:type="PerfMetricIntSeries"><id><counterId>179</counterId><instance>${instance}</instance></id>${values.map((value) => `<value>${value}</value>`).join('')}</value>`;
const answered = (content: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>' +
  `<QueryPerfResponse xmlns="urn:vim25">${content}</QueryPerfResponse></soapenv:Body></soapenv:Envelope>`;
const metric = (content: string): string =>
  `<returnval xsi:type="PerfEntityMetric"><entity type="VirtualMachine">vm-7</entity>${content}</returnval>`;
const told = async (content: string): Promise<readonly WriteSample[]> =>
  (
    await simulator
      .target({ transport: answering(simulator.ca, 'QueryPerf', () => answered(content)) })
      .observeWrites(of('asked'), work)
  ).samples;

test('S5 an answer as vCenter writes it: KBps of each disk become bytes of all, a missing value counts nothing and is told as partly known, a sum counts nothing', async () => {
  const times = ['00:20', '00:40', '01:00'].map(info).join('');
  const disks = series('scsi0:0', [10, -1, -1]) + series('scsi0:1', [5, 3, -1]) + series('', [15, 3, 0]);
  expect(await told(metric(times + disks))).toEqual([
    { at: '2026-01-02T10:00:20Z', seconds: 20, bytes: 15 * 1024 * 20 },
    { at: '2026-01-02T10:00:40Z', seconds: 20, bytes: 3 * 1024 * 20, partly: true },
  ]);
});

test('S5 a disk of the machine for which vCenter tells no values at all makes the count an at least', async () => {
  const one = metric(info('00:20') + series('scsi0:0', [7]));
  expect(await told(one)).toEqual([{ at: '2026-01-02T10:00:20Z', seconds: 20, bytes: 7 * 1024 * 20, partly: true }]);
});

test('values that do not fit the samples are counted for none of them', async () => {
  const short = metric(info('00:20') + info('00:40') + series('scsi0:0', [7]));
  await expect(told(short)).rejects.toMatchObject({
    kind: 'Corrupt',
    message: expect.stringContaining('fewer values'),
  });
});

test('a vCenter that keeps no samples of the machine answers with none', async () => {
  expect(await told(metric(''))).toEqual([]);
  expect(await told('')).toEqual([]);
});

test('S5 a vCenter without the counter, one that refuses, and an account without the right are refusals that say so', async () => {
  const without = answering(simulator.ca, 'RetrievePropertiesEx', (body) =>
    body.replaceAll('<key>virtualDisk</key>', '<key>elsewhere</key>'),
  );
  const refusal = (message: string) =>
    expect.objectContaining({ kind: 'Refused', message: expect.stringContaining(message) });
  await expect(simulator.target({ transport: without }).observeWrites(of('asked'), work)).rejects.toEqual(
    refusal('no counter virtualDisk.write.average'),
  );
  await simulator.door('POST', '/rules', { method: 'QueryPerf', fault: 'NotSupported' });
  await expect(simulator.target().observeWrites(of('asked'), work)).rejects.toEqual(refusal('NotSupported'));
  await simulator.door('POST', '/privileges', { deny: ['System.Read'] });
  await expect(simulator.target().observeWrites(of('asked'), work)).rejects.toEqual(
    refusal('missing privilege System.Read'),
  );
  await simulator.door('POST', '/privileges', { deny: [] });
});

test('S5 what another run’s machine writes is nobody’s loss here, and one that is gone has no count', async () => {
  await expect(simulator.target().observeWrites(of('other', { run: runB }), work)).rejects.toMatchObject({
    message: expect.stringContaining('does not carry the record'),
  });
  await expect(simulator.target().observeWrites(of('nowhere'), work)).rejects.toMatchObject({
    message: expect.stringContaining('no machine stands'),
  });
});
