/**
 * What the client reads from outside: heartbeats, results, records, errors.
 */

import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter, NamespaceNotFoundError, toPayloads } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { toTemporal } from '../../activities/failure.ts';
import { NoPlace } from '../../activities/in-hand.ts';
import { asProblem } from '../../client/connect.ts';
import { detailsOf, summaryOf, withOptions } from '../../client/failback.ts';
import { pendingOf, progressIn } from '../../client/heartbeats.ts';
import { explain, Problem } from '../../client/problem.ts';
import { verifyRecord } from '../../client/record.ts';
import { whatToType } from '../../client/render/to-type.ts';
import { resultOf } from '../../client/view.ts';
import { parseInventory } from '../../config/load.ts';
import { evidenceOfDisks, record } from '../../model/evidence.ts';
import { failbackInput } from '../../model/failback-input.ts';
import { refused } from '../../model/failure.ts';
import { forecastCopy } from '../../model/forecast.ts';
import type { SealProof } from '../../model/machine.ts';
import { type Phase, phases } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { rightText } from '../config/inventory-text.ts';
import { statusIn } from './views.ts';

const report = { disk: 'os', stage: 'copying', doneBytes: 1, totalBytes: 2, bytesPerSecond: 3, epoch: 1 };

test('progress is found in heartbeats, and anything else is left out', () => {
  expect(
    progressIn([report, { now: 'waiting' }, null, 7, { ...report, stage: 'flying' }, { progress: [report] }]),
  ).toEqual([report, report]);
});

test('R4 what a heartbeat says of bytes that are fetched and blocks that were mended reaches the forecast', () => {
  const said = { ...report, totalBytes: 100, listedBytes: 8_192, fetchBytes: 25 * 1024 ** 2, repairedBlocks: 1 };
  const seen = progressIn([said]);
  expect(seen).toEqual([said]);
  expect(forecastCopy([{ disk: 'os', sizeBytes: 2 ** 30 }], seen)?.bytes.likely).toBe(said.fetchBytes);
});

// The server's own numbers: scheduled, started.
test.each([
  ['waits for a worker', 1, false, { bytesPerSecond: 0, stage: 'waiting', stands: { waitsFor: 'its next attempt' } }],
  ['is paused', 1, true, { bytesPerSecond: 0, stage: 'paused' }],
  ['is under way', 2, false, {}],
])('L1 a copy whose attempt %s is not told as moving unless it moves', async (_, state, paused, seen) => {
  const moving = { ...report, bytesPerSecond: 7 };
  const heartbeatDetails = { payloads: toPayloads(defaultPayloadConverter, moving) };
  const raw = { pendingActivities: [{ activityId: 'transfer-os', state, paused, heartbeatDetails }] };
  const description = { workflowId: 'w', raw } as unknown as WorkflowExecutionDescription;
  const { transfers } = await pendingOf(description, loadDataConverter(undefined));
  expect(transfers).toEqual([{ ...moving, ...seen }]);
});

// The server's own numbers: scheduled, started. A seal begins with the word that every step of a mover begins with.
test.each([
  ['waits for a worker', 1, false, { stage: 'waiting', stands: { waitsFor: 'the mover' } }],
  ['is paused', 1, true, { stage: 'paused' }],
  ['is under way', 2, false, { stage: 'sealing' }],
])(
  'L1 a seal that %s is told as a seal from its first word, never as a copy, and as sealing only while a worker seals',
  async (_, state, paused, seen) => {
    const first = { ...report, stage: 'waiting', doneBytes: 0, bytesPerSecond: 0, epoch: 0 };
    const heartbeatDetails = { payloads: toPayloads(defaultPayloadConverter, first) };
    const activityType = { name: 'sealDisk' };
    const scheduledTime = { seconds: 7 };
    const activity = { activityId: 'seal-os', activityType, state, paused, scheduledTime, heartbeatDetails };
    const raw = { pendingActivities: [activity] };
    const description = { workflowId: 'w', raw } as unknown as WorkflowExecutionDescription;
    const { transfers } = await pendingOf(description, loadDataConverter(undefined));
    expect(transfers).toEqual([{ ...first, ...seen, seal: true }]);
  },
);

// The server's own numbers: scheduled, started.
test.each([
  [
    'waits for its turn',
    new NoPlace('erp-db/os', 400, 60_000),
    1,
    { noPlace: true, lastFailure: /400 disks.* comes again in 60 s/ },
  ],
  ['has found its place since', new NoPlace('erp-db/os', 400, 60_000), 2, { noPlace: true }],
  ['failed', refused({ op: 'read', subject: 'os', message: 'no', hint: '' }), 2, { lastFailure: /^no$/ }],
])('L5 a copy that %s is told apart from one that was in vain', async (_, thrown, state, told) => {
  const converter = loadDataConverter(undefined);
  const error = toTemporal(thrown, 'transferDisk', new AbortController().signal, false);
  const lastFailure = converter.failureConverter.errorToFailure(error, converter.payloadConverter);
  const raw = { pendingActivities: [{ activityId: 'transfer-os', state, attempt: 2, lastFailure }] };
  const description = { workflowId: 'w', raw } as unknown as WorkflowExecutionDescription;
  const { pending } = await pendingOf(description, converter);
  const { noPlace, lastFailure: said } = pending[0] ?? {};
  expect({ ...(noPlace && { noPlace }), ...(said !== undefined && { lastFailure: said }) }).toEqual({
    ...told,
    ...('lastFailure' in told && { lastFailure: expect.stringMatching(told.lastFailure) }),
  });
});

test('the result of a run is read with and without what remains', () => {
  const status = statusIn('Committed');
  expect(resultOf({ outcome: 'Committed', status, remains: ['nic'] })).toEqual({ status, remains: ['nic'] });
  expect(resultOf(status)).toEqual({ status });
  expect(resultOf('done')).toEqual({});
  expect(resultOf({ status: {} })).toEqual({});
});

const entry = (key: string) => ({ at: '2026-11-23T12:00:00Z', key, what: key, facts: { bytes: 1 } });
const chain = ['a', 'b', 'c'].reduce<ReturnType<typeof record>>((known, key) => record(known, entry(key)), []);
const seal = (root: string): SealProof => ({
  disk: 'os',
  point: 'p',
  sizeBytes: 1,
  algorithm: 'blake3-64k',
  root,
  provenBytes: 1,
});

test('S12 a whole record is told with its head', () => {
  expect(verifyRecord({ record: chain, seals: [] })).toEqual({
    whole: true,
    entries: 3,
    head: chain[2]?.digest,
    findings: [],
  });
});

test('a changed entry is named', () => {
  const broken = chain.map((one) => (one.seq === 1 ? { ...one, facts: { bytes: 2 } } : one));
  expect(verifyRecord({ record: broken, seals: [] })).toMatchObject({
    whole: false,
    firstBroken: { seq: 1, key: 'b' },
  });
});

test('an evidence digest that does not follow from the seals is named', () => {
  const seals = [seal('aa')];
  expect(verifyRecord({ record: chain, seals, evidence: evidenceOfDisks(seals) }).whole).toBe(true);
  expect(verifyRecord({ record: chain, seals, evidence: 'ff' }).findings).toHaveLength(1);
});

test('every error is told as what and what to do', () => {
  expect(explain(new Problem('refused', 'no', 'ask again'))).toEqual({
    kind: 'refused',
    what: 'no',
    todo: 'ask again',
  });
  expect(explain(refused({ op: 'o', subject: 's', message: 'm', hint: 'h' }))).toEqual({
    kind: 'usage',
    what: 'm',
    todo: 'h',
  });
  expect(explain(new TypeError('x')).kind).toBe('unexpected');
});

test('in every phase that waits for a person there is a command to type', () => {
  const typed = Object.fromEntries(
    phases.map((phase) => [phase, whatToType({ phase, machine: 'm' })]).filter(([, words]) => words?.length),
  );
  expect(typed).toEqual({
    Syncing: ['homeward failback complete m'],
    AwaitingCutover: ['homeward failback complete m'],
    AwaitingCommit: ['homeward failback commit m', 'homeward failback cancel --accept-loss m'],
    NeedsOperator: ['homeward failback resolve m --retry', 'homeward failback resolve m --undo'],
  });
});

test('L6 what somebody has said already is not offered again, held or not', () => {
  const said = { by: 'ana', at: 's' };
  const typed = (phase: Phase, more: Partial<Status>) => whatToType({ phase, machine: 'm', ...more });
  const resume = 'homeward failback resume m';
  const back = 'homeward failback cancel --accept-loss m';
  // What would only wait for the resume, and a commit above all, is not asked for while somebody holds the run.
  expect(typed('Syncing', { held: said })).toEqual([resume]);
  expect(typed('AwaitingCommit', { completion: said, held: said })).toEqual([resume, back]);
  expect(typed('Syncing', { completion: said })).toEqual([]);
  expect(typed('AwaitingCutover', { completion: said, held: said })).toEqual([resume]);
  expect(typed('AwaitingCommit', { completion: said })).toEqual(['homeward failback commit m', back]);
  expect(typed('AwaitingCommit', { completion: said, commitment: said })).toEqual([]);
  expect(typed('Syncing', { cancellation: said })).toEqual([]);
});

test('L6 an operator is offered what the law takes there, whether the target may be live, was committed or is watched', () => {
  const [retry, undo, skip] = ['retry', 'undo', 'skip'].map((how) => `homeward failback resolve m --${how}`);
  const cancel = 'homeward failback cancel --accept-loss m';
  const found = { kind: 'Refused', op: 'o', subject: 's', message: 'm', hint: 'h', since: 's', watch: true } as const;
  const typed = (left: Phase, more: Partial<Status> = {}) =>
    whatToType({ phase: 'NeedsOperator', machine: 'm', left, ...more });
  expect(typed('FinalSync')).toEqual([retry, undo]);
  expect(typed('StartingTarget')).toEqual([retry, undo]);
  expect(typed('StartingTarget', { targetLive: true })).toEqual([retry, cancel]);
  expect(typed('StartingTarget', { targetLive: true, trouble: found })).toEqual([retry, cancel, skip]);
  expect(typed('AwaitingCommit', { targetLive: true })).toEqual([retry, cancel, skip]);
  const commitment = { by: 'ana', at: 's' };
  expect(typed('AwaitingCommit', { targetLive: true, commitment })).toEqual([retry, skip]);
  expect(typed('Committing', { targetLive: true, commitment })).toEqual([retry, skip]);
  expect(typed('Undoing', { cancellation: commitment })).toEqual([retry, skip]);
});

test('a namespace that does not exist is told with what to create or correct, and TLS is said where it is on', () => {
  const place = {
    address: 'h:7233',
    namespace: 'nope',
    origin: 'homeward.yaml',
    namespaceOrigin: 'TEMPORAL_NAMESPACE',
  };
  const settings = { ...place, connectionOptions: { tls: true } };
  expect(explain(asProblem(new NamespaceNotFoundError('nope'), 'erp-db', settings))).toEqual({
    kind: 'unreachable',
    what: 'Temporal at h:7233 (homeward.yaml, with TLS) has no namespace "nope" (TEMPORAL_NAMESPACE)',
    todo: 'Create it (temporal operator namespace create -n nope) or correct TEMPORAL_NAMESPACE.',
  });
});

test('what answers in the place of Temporal and knows none of its calls is told as such, not as a fault of ours', () => {
  const settings = {
    address: 'h:443',
    namespace: 'n',
    origin: 'TEMPORAL_ADDRESS',
    namespaceOrigin: 'default',
    connectionOptions: {},
  };
  const error = Object.assign(new Error('12 UNIMPLEMENTED'), {
    code: 12,
    details: 'HTTP status code 404',
    metadata: {},
  });
  expect(explain(asProblem(error, 'erp-db', settings))).toMatchObject({
    kind: 'unreachable',
    what: 'what answers at h:443 (TEMPORAL_ADDRESS) is not Temporal: HTTP status code 404',
    todo: expect.stringContaining('Say where Temporal is'),
  });
});

const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db');

test('options of a start change this run and nothing else', () => {
  if (!input) throw new Error('the right inventory lacks erp-db');
  const changed = withOptions(input, { sync: 'before', roundEvery: 7, scrubEvery: 0, reread: true });
  const policy = { ...input.policy, sync: 'before', roundEverySeconds: 7, scrubEverySeconds: 0, reread: true };
  expect(changed).toEqual({ ...input, policy });
  expect(withOptions(input, {})).toEqual(input);
  expect(withOptions(input, { by: 'ana', note: 'why' })).toEqual({ ...input, startedBy: { by: 'ana', note: 'why' } });
});

test('the summary of a run stays within what the Temporal UI shows', () => {
  if (!input) throw new Error('the right inventory lacks erp-db');
  expect(summaryOf(input)).toBe('erp-db: azure-west rg-dr/erp-db → home /DC0/vm/erp-db');
  expect(summaryOf({ ...input, target: { site: 'home', path: 'x'.repeat(500) } })).toHaveLength(200);
  // What can be pasted is what the policy takes (commitNeedsEvidence).
  expect(detailsOf(input)).toContain('`commit` `{"by":"you","evidence":"');
  const lax = { ...input, policy: { ...input.policy, commitNeedsEvidence: false } };
  expect(detailsOf(lax)).toContain('`commit` `{"by":"you"}`');
});
