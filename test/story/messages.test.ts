/**
 * What people say to a run, on the real server: as signal and as update, by our client, Temporal's plain CLI and the
 * Temporal UI's cancel button; in the right phase, too early, too late, twice, stale and malformed.
 * Rule (S7): after a refused message the whole status is compared, not the part one happens to think of.
 */
import { readFile } from 'node:fs/promises';
import { searchAttributeNames } from '../../model/failback-input.ts';
import type { MessageName } from '../../model/message.ts';
import type { Status } from '../../model/status.ts';
import { tell } from './both-worlds.ts';
import { homeward, temporal } from './command-line.ts';
import { isHeld, openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const MiB = 1 << 20;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 5 : 4, { osSizeBytes: 48 * MiB, dataSizeBytes: 192 * MiB });
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const handleOf = (run: Run) => scene.link.client.workflow.getHandle(run.id);
const slowReads = (run: Run, delayMs: number): Promise<void> =>
  scene.fault('azure', { operation: 'blob.getRange', resource: run.machine.name, count: 10_000, action: { delayMs } });
/** What a refused message must not change: all but the list of refusals, and what is counted at home by itself meanwhile. */
const withoutRefusals = ({ refusals: _refusals, written: _written, ...rest }: Status) => rest;

interface Refused {
  readonly name: MessageName;
  readonly payload: object;
  readonly reason: RegExp;
}

/** Says it as an update and as a signal: both are refused with the reason, both are recorded, nothing else changes. */
async function expectRefused(run: Run, { name, payload, reason }: Refused): Promise<void> {
  const before = await run.status();
  const answer = await run.say(name, payload);
  expect(answer).toEqual({ refused: expect.stringMatching(reason) });
  await run.signal(name, { by: 'ben', ...payload });
  const seen = await run.untilView('heard', ({ status }) => status?.refusals.at(-1)?.by === 'ben');
  const after = seen.status;
  if (!after) throw new Error('the run has no status');
  expect(withoutRefusals(after)).toEqual(withoutRefusals(before));
  const phase = before.phase;
  const recorded = { message: name, phase, reason: expect.stringMatching(reason), at: expect.any(String) };
  expect(after.refusals).toEqual([...before.refusals, { ...recorded, by: 'ana' }, { ...recorded, by: 'ben' }]);
}

/** What the server shows without asking the run: the search attributes, and the details of the tab User Metadata. */
async function shown(run: Run): Promise<{ phase: unknown; needsHuman: unknown; details: string }> {
  const { searchAttributes } = await handleOf(run).describe();
  const metadata = await handleOf(run).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return {
    phase: searchAttributes[searchAttributeNames.phase]?.[0],
    needsHuman: searchAttributes[searchAttributeNames.needsHuman]?.[0],
    details: metadata.currentDetails ?? '',
  };
}

test('S6 S7 C16 S000-17 S001-17 during the seed wrong messages change nothing, completing is kept for the gate, and the commit takes only the right evidence', async () => {
  const run = await scene.begin();
  await slowReads(run, 700);
  await run.untilView('copying', ({ status, transfers }) => status?.phase === 'Seeding' && transfers.length > 0);
  expect(await shown(run)).toMatchObject({
    phase: 'Seeding',
    needsHuman: false,
    details: expect.stringContaining('- **Serves:** source'),
  });

  await expectRefused(run, { name: 'commit', payload: {}, reason: /phase Seeding; a commit is taken once/ });
  await expectRefused(run, { name: 'resolve', payload: { action: 'undo' }, reason: /nothing waits to be resolved/ });
  await expectRefused(run, {
    name: 'cancel',
    payload: { run: 'another-run' },
    reason: /it names run another-run, but/,
  });
  await expectRefused(run, { name: 'hold', payload: { run: 'another-run' }, reason: /it names run another-run, but/ });

  const complete = (by: string) => handleOf(run).executeUpdate('completeFailover', { args: [{ by }] });
  const waits = expect.stringMatching(/until the first round is proven/);
  expect(await complete('ana')).toEqual({ accepted: true, phase: 'Seeding', waits });
  const kept = await run.status();
  expect(kept).toMatchObject({ phase: 'Seeding', completion: { by: 'ana' } });
  expect(await complete('ben')).toEqual({
    accepted: true,
    phase: 'Seeding',
    reason: expect.stringMatching(/already so/),
    waits,
  });
  await run.signal('completeFailover', { by: 'ben' });
  expect(await complete('ben')).toMatchObject({ reason: expect.stringMatching(/already so/) });
  expect(withoutRefusals(await run.status())).toEqual(withoutRefusals(kept));

  await scene.forgetRules();
  const live = await run.until('AwaitingCommit');
  expect(live.record.filter((entry) => entry.key === 'completeFailover-accepted')).toHaveLength(1);
  const keys = live.record.map((entry) => entry.key);
  expect(keys.indexOf('seeded')).toBeLessThan(keys.indexOf('ready'));
  expect(keys.indexOf('ready')).toBeLessThan(keys.indexOf('source-stopped'));
  expect(live.record.find(({ key }) => key === 'ready')?.facts).toMatchObject({
    'recovery-point': expect.stringMatching(/^round \d+ is proven, as of 20/),
    'replication-finished': expect.stringMatching(/^every disk is home/),
  });
  expect(await shown(run)).toMatchObject({
    phase: 'AwaitingCommit',
    needsHuman: true,
    details: expect.stringMatching(/### Waits for a person\ncommit: [\s\S]*\*\*Last refusal:\*\* `hold` from ben/),
  });

  await expectRefused(run, {
    name: 'commit',
    payload: { evidence: 'f'.repeat(64) },
    reason: /it approves evidence f+, but/,
  });
  await expectRefused(run, { name: 'commit', payload: { run: kept.run.replace(/.$/, 'x') }, reason: /it names run/ });
  await expectRefused(run, { name: 'cancel', payload: {}, reason: /"acceptLoss": true/ });
  expect(await run.say('commit', { evidence: live.evidence, run: live.run })).toEqual({ accepted: true });
  const end = await run.until('Committed');
  expect(end.commitment).toMatchObject({ by: 'ana', evidence: live.evidence });
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 300_000);

/** A signal whose payload says it is JSON and is not, as only a broken client sends it. */
async function signalRaw(run: Run, signalName: string, text: string): Promise<void> {
  const { connection, options } = scene.link.client;
  await connection.workflowService.signalWorkflowExecution({
    namespace: options.namespace,
    workflowExecution: { workflowId: run.id },
    signalName,
    input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) }] },
  });
}

test('S7 L6 malformed, unreadable, huge, misspelt and mistimed messages change nothing and leave their reason', async () => {
  const run = await scene.begin({ sync: 'during' });
  const waiting = await run.until('AwaitingCutover');
  const cli = (verb: readonly string[], ...rest: string[]) =>
    temporal(scene.lab, 'workflow', ...verb, '--workflow-id', run.id, ...rest);
  const malformed = [
    ['completeFailover', '"ana"', /^malformed: .*expected Stop the source/],
    ['completeFailover', undefined, /^malformed: by/],
    ['commit', '{"by":"  "}', /^malformed: by: say who you are/],
    ['cancel', '{"by":"ana","acceptLoss":"yes"}', /^malformed: acceptLoss/],
    ['hold', '{"by":"ana","force":true}', /^malformed: .*force/],
    ['resolve', '{"by":"ana","action":"maybe"}', /^malformed: action/],
    ['resume', '[{"by":"ana"}]', /^malformed/],
    ['completefailover', '{"by":"ana"}', /^no message is called so; there are completeFailover/],
  ] as const;
  let heard = 0;
  for (const [name, input, reason] of malformed) {
    const payload = input === undefined ? [] : ['--input', input];
    expect(await cli(['signal'], '--name', name, ...payload)).toMatchObject({ code: 0 });
    heard++;
    const seen = await run.untilView('heard', ({ status }) => status?.refusals.length === heard);
    expect(seen.status?.refusals.at(-1)).toMatchObject({
      message: name,
      by: 'unknown',
      phase: 'AwaitingCutover',
      reason: expect.stringMatching(reason),
    });
  }
  expect(withoutRefusals(await run.status())).toEqual(withoutRefusals(waiting));

  // Whatever a payload holds, the run can read the next one, and its status stays small enough to be asked for.
  await signalRaw(run, 'hold', '{by: eve');
  await run.untilView('heard', ({ status }) => status?.refusals.length === ++heard);
  for (let sent = 0; sent < 12; sent++) await run.signal('hold', { by: 'eve', run: 'x'.repeat(400_000) });
  await run.untilView('heard', ({ status }) => status?.refusals.length === heard + 12);
  heard += 12;
  const reasons = (await run.status()).refusals.map(({ reason }) => reason.length);
  expect(Math.max(...reasons)).toBeLessThanOrEqual(500);
  expect(withoutRefusals(await run.status())).toEqual(withoutRefusals(waiting));

  // A malformed update leaves no trace at all; a well-formed one that the law refuses is recorded.
  const eventsBefore = (await handleOf(run).describe()).historyLength;
  for (const [name, input] of malformed.slice(2, 6)) {
    const answer = await cli(['update', 'execute'], '--name', name, '--input', input ?? '{}');
    expect(answer).toMatchObject({ code: 1, err: expect.stringMatching(/malformed: .*type: RefusedMessage/) });
  }
  expect((await handleOf(run).describe()).historyLength).toBe(eventsBefore);
  const early = await cli(['update', 'execute'], '--name', 'commit', '--input', '{"by":"ana"}');
  expect(early).toMatchObject({
    code: 1,
    err: expect.stringContaining('a commit is taken once the machine runs at home'),
  });
  expect((await run.status()).refusals.at(-1)).toMatchObject({ message: 'commit', by: 'ana' });
  expect((await run.status()).refusals).toHaveLength(heard + 1);
  expect(withoutRefusals(await run.status())).toEqual(withoutRefusals(waiting));
}, 180_000);

thorough(
  'S6 the plain temporal CLI alone leads a run home, and its cancel is refused and recorded once the target is live',
  async () => {
    const run = await scene.begin({ sync: 'during' });
    await run.until('AwaitingCutover');
    const cli = (verb: readonly string[], ...rest: string[]) =>
      temporal(scene.lab, 'workflow', ...verb, '--workflow-id', run.id, ...rest);
    const signal = (name: string) => cli(['signal'], '--name', name, '--input', '{"by":"ana","note":"night shift"}');
    const update = (name: string, input: object) =>
      cli(['update', 'execute'], '--name', name, '--input', JSON.stringify(input));

    await signal('hold');
    await run.untilView('held', ({ status }) => status?.held?.note === 'night shift');
    expect(await shown(run)).toMatchObject({ needsHuman: true, details: expect.stringContaining('### Held by ana') });
    await signal('completeFailover');
    await run.untilView('completed', ({ status }) => status?.completion !== undefined);
    // Held: the gate is open, and still nothing moves.
    expect((await run.status()).phase).toBe('AwaitingCutover');
    const again = await homeward(scene.lab, 'failback', 'complete', run.machine.name, '--yes', '--json');
    const waits = expect.stringMatching(/^ana holds the run; .*resume/);
    expect({ code: again.code, ...JSON.parse(again.out) }).toMatchObject({ code: 0, accepted: true, waits });
    expect((await update('resume', { by: 'ben' })).code).toBe(0);
    const live = await run.until('AwaitingCommit');

    const metadata = await cli(['metadata']);
    expect(metadata.out).toContain('completeFailover');
    const needsHuman = `${searchAttributeNames.needsHuman} = true AND ExecutionStatus = 'Running'`;
    const listed = async (): Promise<boolean> =>
      (await temporal(scene.lab, 'workflow', 'list', '--query', needsHuman, '-o', 'json')).out.includes(run.id);
    for (const end = Date.now() + 30_000; !(await listed()); ) expect(Date.now()).toBeLessThan(end);

    expect((await cli(['cancel'])).code).toBe(0);
    const refused = await run.untilView('refused', ({ status }) => status?.refusals.at(-1)?.message === 'cancel');
    expect(refused.status?.refusals.at(-1)).toMatchObject({
      by: 'Temporal cancellation request',
      phase: 'AwaitingCommit',
      reason: expect.stringContaining('acceptLoss'),
    });
    const unmoved = await run.status();
    expect(withoutRefusals(unmoved)).toEqual(withoutRefusals(live));
    // Temporal keeps only one request to cancel; a second one is not heard and changes nothing either.
    await cli(['cancel']);

    scene.lab.witness.allowRetirement(run.machine.name);
    const committed = await update('commit', { by: 'ben', evidence: live.evidence, run: live.run });
    expect(committed).toMatchObject({ code: 0 });
    expect((await run.until('Committed', 'NeedsOperator')).phase).toBe('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    const late = await update('cancel', { by: 'ana' });
    expect(late.code).toBe(1);
  },
  300_000,
);

interface Reading {
  readonly bytes: number;
  /** Of these, what was handed out before already. */
  readonly again: number;
}

/** What Azure handed out of a machine's recovery points, by its own log. */
async function readFromAzure(run: Run): Promise<Reading> {
  const seen = new Set<string>();
  const total = { bytes: 0, again: 0 };
  for (const line of (await readFile(scene.lab.azure.audit, 'utf8')).split('\n')) {
    if (!line.includes('"blob.getRange"') || !line.includes(run.machine.name)) continue;
    const { resource, range, status } = JSON.parse(line) as { resource: string; range: string; status: number };
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    if (status !== 206 || start === undefined || end === undefined) continue;
    const bytes = Number(end) - Number(start) + 1;
    total.bytes += bytes;
    if (seen.has(`${resource} ${start}`)) total.again += bytes;
    seen.add(`${resource} ${start}`);
  }
  return total;
}

const moment = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('L2 S5 a hold stops the seed, going on sends nothing again that was proven, a storm of holds breaks nothing, and Request Cancellation returns home', async () => {
  const machine = scene.lab.machines[everyFault ? 3 : 2];
  const full = { offset: 48 * MiB, length: 144 * MiB, fill: 7 };
  await tell(`${scene.lab.azure.control}/disks/${machine?.disks[1].azureName}/write`, full);
  const run = await scene.begin();
  await slowReads(run, 600);
  let copied = await readFromAzure(run);
  for (const end = Date.now() + 60_000; copied.bytes < 100 * MiB; copied = await readFromAzure(run)) {
    expect(Date.now()).toBeLessThan(end);
    await moment(50);
  }
  expect(await run.say('hold')).toEqual({ accepted: true });
  await run.untilView('held', isHeld);
  expect(await shown(run)).toMatchObject({
    phase: 'Seeding',
    needsHuman: true,
    details: expect.stringMatching(/### Held by ana[\s\S]*Waits for a person\nresume: /),
  });
  const held = await readFromAzure(run);
  await moment(1_500);
  expect(await readFromAzure(run)).toEqual(held);

  await scene.forgetRules();
  expect(await run.say('resume')).toEqual({ accepted: true });
  await run.until('Syncing');
  const whole = await readFromAzure(run);
  expect(held.again).toBe(0);
  expect(whole.again).toBeLessThanOrEqual(64 * MiB);
  expect(whole.bytes - whole.again).toBeGreaterThanOrEqual(144 * MiB);

  for (const pause of [0, 0, 5, 40, 0, 120, 15, 0, 60, 0, 300, 0]) {
    await run.signal('hold', { by: 'ben' });
    await moment(pause);
    await run.signal('resume', { by: 'ben' });
    await moment(pause / 2);
  }
  await run.signal('hold', { by: 'ben' });
  const stands = await run.untilView('held', isHeld);
  await run.signal('resume', { by: 'ben' });
  const more = (stands.rounds?.done ?? 0) + 2;
  const goesOn = await run.untilView(
    'going on',
    ({ rounds, status }) => (rounds?.done ?? 0) >= more || status?.phase === 'NeedsOperator',
  );
  expect(goesOn.status).toMatchObject({ phase: 'Syncing', refusals: [] });
  expect(goesOn.status?.held).toBeUndefined();

  await handleOf(run).cancel();
  const end = await run.until('ReturnedToSource', 'NeedsOperator');
  expect(end).toMatchObject({ phase: 'ReturnedToSource', cancellation: { by: 'Temporal cancellation request' } });
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 300_000);

test('C13 S9 a hold and a completion in the middle of a round end that round first, so that no disk is copied whole inside the outage', async () => {
  const run = await scene.begin({ roundEvery: 0.5 });
  await run.until('Syncing');
  await slowReads(run, 1_500);
  await run.untilView('copying', ({ status, transfers }) => {
    return status?.phase === 'Syncing' && transfers.some(({ stage }) => stage === 'copying');
  });
  for (const name of ['hold', 'resume', 'completeFailover']) await run.signal(name, { by: 'ana' });
  await run.until('StoppingSource', 'FinalSync', 'Sealing');
  await scene.forgetRules();
  const live = await run.until('AwaitingCommit', 'NeedsOperator');
  const final = live.record.filter((entry) => entry.key.startsWith('final/'));
  expect(final.map(({ facts }) => facts.mode)).toEqual(['delta', 'delta']);
  expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
  const end = await run.until('ReturnedToSource');
  expect(end.outage?.endedAt).toMatch(/^20/);
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 180_000);
