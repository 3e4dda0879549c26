/**
 * What changes at home while a run is under way: found while it copies or waits, between two rounds, and found again before
 * the source is stopped.
 * Rule: one run meets it all and comes home in the end; whether the source was stopped is read from Azure, not from the run.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { View } from '../../client/view.ts';
import { readAzure } from '../../lab/azure-control.ts';
import { knock } from '../../lab/control-door.ts';
import { moverName } from '../../lab/vcenter.ts';
import { readVcenter, setVcenterPower } from '../../lab/vcenter-control.ts';
import { guestStep } from '../../model/arrival-policy.ts';
import { firstBroken } from '../../model/evidence.ts';
import type { Phase } from '../../model/phase.ts';
import type { RoundReport, Status } from '../../model/status.ts';
import { tell } from './both-worlds.ts';
import { isHeld, openScene, type Run, type Scene } from './scene.ts';

let scene: Scene;
let run: Run;
/** What the witness holds against the people who power the target on beside the source and move a file. */
const byHand: string[] = [];
beforeAll(async () => {
  scene = await openScene(5, { policy: { homeWatchSeconds: 0.5 } });
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const door = (path: string, body: object): Promise<unknown> => tell(`${scene.lab.vcenter.control}${path}`, body);
const witnessed = (): string[] =>
  scene.lab.witness.violations().map(({ invariant, effect, seen }) => `${invariant} after ${effect}: ${seen}`);
const sourcePower = async (of = run): Promise<string | undefined> =>
  (await readAzure(scene.lab.azure.control)).vms.find(({ name }) => name === of.machine.source.vm)?.power;

/** One more round is proven than were before; answers the last one. */
async function oneMoreRound(): Promise<RoundReport | undefined> {
  await run.until('Syncing');
  const seen = (await run.untilView('copying rounds', ({ rounds }) => (rounds?.done ?? 0) > 0)).rounds?.done ?? 0;
  const { rounds } = await run.untilView('a round further', (view) => (view.rounds?.done ?? 0) > seen);
  return rounds?.recent.at(-1);
}

/** Disks that were away for a while: then nobody could look at their files, the witness neither. */
const away: string[] = [];
const unexcused = (lines: readonly string[]): string[] =>
  lines.filter(
    (line) => !byHand.includes(line) && !away.some((name) => line.includes('ENOENT') && line.includes(name)),
  );

const fileOf = ({ record }: Status, disk: string): string =>
  record.find(({ key }) => key === `open/${disk}`)?.facts?.file as string;

const pieceBytes = 65_536;

/** Does that with 64 KiB of an open disk's file. */
async function onPiece<T>(file: string, act: (handle: FileHandle, piece: Buffer, sizeBytes: number) => Promise<T>) {
  const machines = await readVcenter(scene.lab.vcenter.control);
  const { path = '', sizeBytes = 0 } = machines.flatMap(({ disks }) => disks).find((disk) => disk.file === file) ?? {};
  const handle = await open(path, 'r+');
  try {
    return await act(handle, Buffer.alloc(pieceBytes), sizeBytes);
  } finally {
    await handle.close();
  }
}

/** A write that was on its way while the disk was moved: 64 KiB in its middle, which no seal looks at, are zeros there. */
const loseAWrite = (file: string): Promise<number> =>
  onPiece(file, async (handle, piece, sizeBytes) => {
    for (let at = 8 << 20; at < sizeBytes - (8 << 20); at += pieceBytes) {
      await handle.read(piece, 0, pieceBytes, at);
      if (piece.every((byte) => byte === 0)) continue;
      await handle.write(piece.fill(0), 0, pieceBytes, at);
      return at;
    }
    throw new Error(`nothing stands in the middle of ${file}`);
  });

const isLost = (file: string, at: number): Promise<boolean> =>
  onPiece(file, async (handle, piece) => {
    await handle.read(piece, 0, pieceBytes, at);
    return piece.every((byte) => byte === 0);
  });

/** Storage vMotion of an open disk. Answers where it is now, and how it comes back. */
async function moveAway(from: string) {
  const to = from.replace('.vmdk', '-moved.vmdk');
  away.push(basename(to, '.vmdk'), basename(from, '.vmdk'));
  await door('/storage-vmotion', { vm: moverName, from, to });
  return { to, back: () => door('/storage-vmotion', { vm: moverName, from: to, to: from }) };
}

/** Waits for the call, then mends what was done and goes on. */
async function calledThenMended(op: string, mend: () => Promise<unknown>, left: Phase = 'Syncing'): Promise<Status> {
  const called = await run.until('NeedsOperator');
  expect(called).toMatchObject({ left, trouble: { kind: 'Refused', op } });
  expect(await sourcePower()).toBe('running');
  await mend();
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  return called;
}

const switchTarget = (state: 'on' | 'off', of = run): Promise<unknown> =>
  setVcenterPower(scene.lab.vcenter.control, of.machine.target.vm, state);

/** Keeps what the witness holds against whoever powers the target on, and nothing else. */
function keepByHand(of = run): void {
  const news = unexcused(witnessed());
  // The witness tells it with the power-on, or with what the run did right after it, before it looked.
  const { source, target } = of.machine;
  const both = `${target.vm} is on while ${source.vm} is running in Azure`;
  const bySwitch = [`powerOn ${target.vm}`, ` is open while ${target.vm} is on`, both];
  expect(news.filter((one) => !bySwitch.some((words) => one.includes(words)))).toEqual([]);
  byHand.push(...news);
}

const isDraining = ({ pending }: View): boolean => pending.some(({ activity }) => activity === 'ensureGuestScriptRun');

/** Every read of what is called so takes longer than the test is patient. */
const slowReads = (resource: string): object => ({
  ...{ operation: 'blob.getRange', resource, count: 10_000 },
  action: { delayMs: 600_000 },
});

const isTransferOf =
  (disk: string) =>
  ({ activityId }: { readonly activityId: string }): boolean =>
    activityId === `transfer-${disk}`;
const isOsCopied = ({ pending }: View): boolean =>
  pending.some(isTransferOf('data-0')) && !pending.some(isTransferOf('os'));

test('S000-28 S3 S9 a target that somebody powers on during the seed, or while the run is held, calls an operator, and a disk that was moved behind its seed is copied anew', async () => {
  await scene.fault('azure', slowReads('data-0-1'));
  run = await scene.begin({}, { beforeStop: [guestStep.parse({ name: 'drain', script: 'sleep 4' })] });
  await scene.untilMet('azure');
  await run.untilView('done with the OS disk', isOsCopied);
  await switchTarget('on');
  const seeding = await calledThenMended('target-powered-off', () => switchTarget('off'), 'Seeding');
  expect(seeding.record.map(({ key }) => key)).not.toContain('seeded');
  const file = fileOf(seeding, 'os');
  const { to, back } = await moveAway(file);
  const lost = await loseAWrite(to);
  await run.untilView('called for the move', ({ status }) => status?.trouble?.op === 'open-disks-stay');
  await scene.forgetRules();
  await calledThenMended('open-disks-stay', back, 'Seeding');
  const seeded = await run.until('Syncing');
  expect(await isLost(file, lost)).toBe(false);
  // Nor was it mended by a scrub that found it.
  expect(seeded.record.map(({ key }) => key)).not.toContain('scrub/os/damage-1');
  await oneMoreRound();
  await run.say('hold');
  await run.untilView('held', isHeld);
  await switchTarget('on');
  await calledThenMended('target-powered-off', () => switchTarget('off'));
  // Held still: nothing goes on, and whoever powers it on now is found all the same.
  await run.until('Syncing');
  await switchTarget('on');
  const again = await calledThenMended('target-powered-off', () => switchTarget('off'));
  expect(again.held).toMatchObject({ by: 'ana' });
  await run.say('resume');
  keepByHand();
}, 120_000);

test('S000-28 S000-1 S3 S9 while the scripts run and during the one full copy of sync: during a target that somebody powers on calls an operator, and a disk that was moved behind its copy is copied anew', async () => {
  const drain = guestStep.parse({ name: 'drain', script: 'sleep 2' });
  const during = await scene.begin({ sync: 'during', write: 'staged' }, { beforeStop: [drain] });
  await during.until('AwaitingCutover');
  await scene.fault('azure', slowReads('data-0-1-final'));
  await during.say('completeFailover');
  await during.untilView('draining', isDraining);
  await switchTarget('on', during);
  const serving = await during.until('NeedsOperator');
  expect(serving).toMatchObject({ left: 'StoppingSource', trouble: { kind: 'Refused', op: 'check-before-cutover' } });
  expect(serving.trouble?.message).toContain('target-powered-off');
  expect(await sourcePower(during)).toBe('running');
  expect(serving.outage).toBeUndefined();
  await switchTarget('off', during);
  keepByHand(during);
  await during.say('resolve', { action: 'retry' });
  await scene.untilMet('azure');
  await during.untilView('done with the OS disk', isOsCopied);
  await switchTarget('on', during);
  const called = await during.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'FinalSync', trouble: { kind: 'Refused', op: 'target-powered-off' } });
  await switchTarget('off', during);
  keepByHand(during);
  const { to, back } = await moveAway(fileOf(called, 'os'));
  await loseAWrite(to);
  expect(await during.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  await during.untilView('called for the move', ({ status }) => status?.trouble?.op === 'open-disks-stay');
  await back();
  await scene.forgetRules();
  await during.say('resolve', { action: 'retry' });
  // The witness compares every byte when it starts at home.
  await during.until('AwaitingCommit');
  // What its old disks wrote while somebody had it on is nobody's record, so the way back is the end that can be judged.
  await during.say('cancel', { acceptLoss: true });
  await during.until('ReturnedToSource');
  expect(unexcused(await during.wrongAtEnd('returned'))).toEqual([]);
}, 120_000);

test('S000-1 S000-26 S000-28 C20 a run that copies and is current stands in Syncing; a target that somebody powers on meanwhile calls an operator between two rounds, and the same run goes on', async () => {
  await oneMoreRound();
  await switchTarget('on');
  const { trouble } = await calledThenMended('target-powered-off', () => switchTarget('off'));
  keepByHand();
  expect(trouble?.message).toContain('is poweredOn');
  expect(trouble?.hint).toContain('Power the on-prem machine off');
  await oneMoreRound();
}, 120_000);

test('S001-8 a snapshot of the mover is found between two rounds', async () => {
  await door('/snapshot', { vm: moverName, name: 'nightly backup' });
  await calledThenMended('mover-no-snapshots', () =>
    knock(`${scene.lab.vcenter.control}/snapshot`, { vm: moverName }, 'DELETE'),
  );
  await oneMoreRound();
}, 120_000);

test('S9 an open disk that Storage vMotion moved is found, and copied in full once it is back', async () => {
  const file = (await run.status()).disks[1]?.target ?? '';
  const before = (await run.untilView('copying rounds', ({ rounds }) => rounds !== undefined)).rounds?.done ?? 0;
  const { to, back } = await moveAway(file);
  const { trouble } = await calledThenMended('open-disks-stay', back);
  expect(trouble?.message).toContain(`${file} is ${to} now`);
  // Only the last twenty rounds are told, so that the seed may be among them or not.
  const again = ({ rounds }: View): boolean =>
    rounds?.recent.some(({ mode, number }) => mode === 'full' && number > before) === true;
  await run.untilView('copied in full again', again);
}, 120_000);

const refusedStop = {
  ...{ operation: 'virtualMachines.deallocate', count: 1 },
  action: { status: 403, code: 'AuthorizationFailed', message: 'no right to stop it' },
};

test('S9 an open disk that Storage vMotion moved since the last look of the watch is found before the seal, and copied in full once it is back', async () => {
  const late = await scene.begin({ roundEvery: 3_600 }, { homeWatchSeconds: 3_600 });
  await late.until('Syncing');
  const delay = { operation: 'blob.getRange', resource: 'data-0-2-final', count: 1, action: { delayMs: 60_000 } };
  await scene.fault('azure', delay);
  await late.say('completeFailover');
  await scene.untilMet('azure');
  // Nothing is written to the OS disk any more: whoever moved it then is met by no copy.
  await late.untilView('done with the OS disk', isOsCopied);
  const { back } = await moveAway(fileOf(await late.status(), 'os'));
  await scene.forgetRules();
  const called = await late.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'FinalSync', trouble: { kind: 'Refused', op: 'open-disks-stay' } });
  await back();
  await late.say('resolve', { action: 'retry' });
  const home = await late.until('AwaitingCommit');
  expect(home.record.findLast(({ key }) => key === 'final/os')?.facts).toMatchObject({ mode: 'full' });
  await late.say('commit');
  await late.until('Committed');
  expect(unexcused(await late.wrongAtEnd('committed'))).toEqual([]);
}, 120_000);

test('S4 S5 S9 S11 a disk that moved is told though the copy failed before the watch looked again; taken back while it lies elsewhere the run says where, changes nothing, and leaves nothing once it can be found', async () => {
  const refusal = { delayMs: 60_000, status: 403, code: 'AuthorizationFailure', message: 'a network rule' };
  const other = await scene.begin({ write: 'staged' }, { homeWatchSeconds: 3_600 });
  const resource = other.machine.name;
  await scene.fault('azure', { operation: 'blob.getRange', resource, count: 100, action: refusal });
  await scene.untilMet('azure');
  const file = fileOf(await other.status(), 'os');
  const { to, back } = await moveAway(file);
  await scene.forgetRules();
  // Whoever was called for the copy alone might move it back and go on, and nobody would copy it anew.
  expect(await other.until('NeedsOperator')).toMatchObject({ left: 'Seeding', trouble: { op: 'open-disks-stay' } });
  await other.say('resolve', { action: 'undo' });
  const { status } = await other.untilView('called from the undo', (view) => view.status?.left === 'Undoing');
  expect(status?.trouble).toMatchObject({ kind: 'Refused', step: 'undo: open target disks' });
  expect(status?.trouble?.message).toContain(`${file} is ${to} now, on ${moverName}`);
  await back();
  await other.say('resolve', { action: 'retry' });
  await other.until('ReturnedToSource');
  expect(unexcused(await other.wrongAtEnd('returned'))).toEqual([]);
}, 120_000);

test('S000-28 S9 S001-6 S001-8 what would go wrong in the outage is found before the source is stopped; mended, the same run takes one more round and comes home', async () => {
  await door('/privileges', { deny: ['VirtualMachine.Interact.PowerOn'] });
  expect(await run.say('completeFailover')).toEqual({ accepted: true });
  const called = await calledThenMended('check-before-cutover', () => door('/privileges', { deny: [] }));
  expect(called.trouble).toMatchObject({
    message: 'vcenter-privileges: missing: VirtualMachine.Interact.PowerOn',
    hint: expect.stringContaining('the source was not stopped and goes on serving'),
  });
  expect(called.outage).toBeUndefined();
  expect(called.checks).toContainEqual(expect.objectContaining({ id: 'open-disks-stay', verdict: 'pass' }));
  // Nobody looks while the scripts run, so home is looked at right behind them.
  await run.untilView('draining', isDraining);
  await switchTarget('on');
  const file = called.disks[1]?.target ?? '';
  await scene.fault('azure', refusedStop);
  const late = await calledThenMended('target-powered-off', () => switchTarget('off'), 'StoppingSource');
  expect(late.outage).toBeUndefined();
  // What was written while the operator was away is moved before the stop, not in the outage.
  await run.untilView('called for the stop', ({ status }) => status?.trouble?.op === refusedStop.operation);
  let back = async (): Promise<unknown> => undefined;
  const away = async (): Promise<void> => {
    ({ back } = await moveAway(file));
  };
  const refused = await calledThenMended(refusedStop.operation, away, 'StoppingSource');
  expect(refused.rounds?.done).toBe((late.rounds?.done ?? 0) + 1);
  // A stop is not sent again without a look. S9: what was another file meanwhile is copied in full, before the stop as well.
  await run.untilView('called for the move', ({ status }) => status?.trouble?.op === 'open-disks-stay');
  await calledThenMended('open-disks-stay', () => back(), 'StoppingSource');
  keepByHand();
  const home = await run.until('AwaitingCommit');
  expect(home.run).toBe(called.run);
  expect(home.record.findLast(({ key }) => key === 'final/data-0')?.facts).toMatchObject({ mode: 'delta' });
  const since = home.rounds?.recent.filter(({ number }) => number > (refused.rounds?.done ?? 0));
  expect(since?.map(({ mode }) => mode)).toEqual(['full', 'delta']);
  expect(home.rounds?.done).toBeGreaterThan((called.rounds?.done ?? 0) + 1);
  expect(home.record.filter(({ key }) => key === 'checked-again')).toHaveLength(1);
  expect(firstBroken(home.record)).toBeUndefined();
  await run.say('commit');
  await run.until('Committed');
  expect(unexcused(await run.wrongAtEnd('committed'))).toEqual([]);
}, 180_000);

test('S000-2 a mover that died while the run waited for the cutover is waited for before the source is stopped, and a disk that was resized is found', async () => {
  const other = await scene.begin({ sync: 'during' });
  await other.until('AwaitingCutover');
  const disk = other.machine.disks[1] ?? { azureName: '', sizeBytes: 0 };
  await scene.workers.kill('mover');
  await other.say('completeFailover');
  const waits = await other.untilView('waiting for its mover', ({ status }) => status?.awaits !== undefined);
  expect(waits.status).toMatchObject({
    awaits: { for: `the worker of mover ${other.input.mover.name} to come back` },
    checks: expect.arrayContaining([expect.objectContaining({ id: 'mover-worker', verdict: 'wait' })]),
  });
  await tell(`${scene.lab.azure.control}/disks/${disk.azureName}/resize`, { sizeBytes: disk.sizeBytes + (1 << 20) });
  await scene.workers.restart('mover');
  const called = await other.until('NeedsOperator');
  expect(called.checks).toContainEqual(
    expect.objectContaining({ id: 'mover-worker', requirement: 'S000-2', verdict: 'pass' }),
  );
  expect(called).toMatchObject({ left: 'AwaitingCutover', trouble: { op: 'check-before-cutover' } });
  expect(called.trouble?.message).toContain('disk-size');
  expect(await sourcePower(other)).toBe('running');
  await other.say('cancel');
  await other.until('ReturnedToSource');
  expect(unexcused(await other.wrongAtEnd('returned'))).toEqual([]);
}, 120_000);
