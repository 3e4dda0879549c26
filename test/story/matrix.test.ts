/**
 * The whole matrix on the real server: in every phase a run can stand in, and where it has called an operator from it,
 * every message in every good and bad way, as update and as signal.
 * Rule (S7): what becomes of each is what the law says of it, and a refused one leaves all but the list of refusals as it
 * was. What the law takes and would move the run is sent once, where it is to move.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { MessageName } from '../../model/message.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import type { Story } from '../../model/transition.ts';
import { countIn, writtenText } from '../../model/written.ts';
import { illSaid, judged, refusalBy, type Said, storyOf, timeless, wellSaid } from './law-mirror.ts';
import { openScene, type Run, type Scene, type World } from './scene.ts';

const runMs = 240_000;
/** As long as a phase is to stand; the rule is taken away long before, and lets go on what it delays. */
const standMs = 45_000;
/** Temporal takes so many updates of one run at once. */
const atOnce = 8;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(2);
}, 180_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

const handleOf = (run: Run) => scene.link.client.workflow.getHandle(run.id);
const statusOf = (run: Run): Promise<Status> => handleOf(run).query<Status, []>('status');
/** The status does not tell where the mover stands. */
const storyNow = async (run: Run): Promise<Story> => storyOf(await statusOf(run), '');
const withoutAt = ({ at: _at, ...rest }: Story['refusals'][number]): object => rest;
const byText = (refusals: readonly (object | undefined)[]): string[] =>
  refusals.map((one) => JSON.stringify(one)).sort();

async function inPieces<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += atOnce) await Promise.all(all.slice(from, from + atOnce).map(act));
}

/** How an update was answered, in the law's words. */
async function answerTo(run: Run, { name, payload }: Pick<Said, 'name' | 'payload'>): Promise<object> {
  try {
    const said = await handleOf(run).executeUpdate<{ reason?: string }, [unknown]>(name, { args: [payload] });
    return { verdict: said.reason === undefined ? 'taken' : 'known' };
  } catch (error) {
    const { cause } = error as { cause?: { type?: string; message?: string } };
    if (cause?.type !== 'RefusedMessage') throw error;
    return { verdict: 'refused', reason: cause.message };
  }
}

/** What the law says of it, in an update's words. A mover that nobody knows is welcome to the law and not to the world. */
function expectedAnswer(said: Said): object {
  if (said.verdict === 'taken') return { verdict: 'refused', reason: expect.stringContaining('mover-known: ') };
  if (said.verdict === 'known') return { verdict: 'known' };
  return { verdict: 'refused', reason: `${said.name} refused: ${said.reason}` };
}

/** Whether it may be sent where the run is to go on standing. */
const keepsStanding = ({ verdict, name, payload }: Said): boolean =>
  verdict !== 'taken' || (name === 'reassign' && (payload as { mover?: string }).mover === 'mover-9');

/**
 * vCenter's count of what was written at home goes on meanwhile, and a refusal tells it: what was seen later, in the words of
 * the count before.
 */
const asCounted = <T>(seen: T, later: Story, before: Story): T => {
  const [now, then] = [later, before].map((story) => JSON.stringify(writtenText(story)).slice(1, -1));
  return now === then ? seen : JSON.parse(JSON.stringify(seen).replaceAll(now ?? '', () => then ?? ''));
};
const withCountOf = (story: Story, { written: _w, uncounted: _u, ...later }: Story): Story => ({
  ...later,
  ...countIn(story),
});

/** All that was said, by update and by signal, must have left the run as it was, and each refusal its line. */
async function expectTheLaw(run: Run, where: { phase: Phase; left?: Phase }): Promise<void> {
  const before = await storyNow(run);
  expect({ phase: before.phase, left: before.left }).toEqual({ phase: where.phase, left: where.left });
  const all = [...wellSaid(before), ...illSaid(before.evidence)].map(([name, payload]) =>
    judged(before, name, payload),
  );
  const said = all.filter(keepsStanding);
  // At most a few are left out: what moves the run from here.
  expect(said.length).toBeGreaterThan(all.length / 2);
  const answers: [Said, object][] = [];
  await inPieces(said, async (one) => void answers.push([one, await answerTo(run, one)]));
  const answered = await storyNow(run);
  for (const [one, heard] of answers) {
    const { name, payload } = one;
    const answer = asCounted(heard, answered, before);
    expect({ name, payload, answer }).toEqual({ name, payload, answer: expectedAnswer(one) });
  }
  expect(timeless(withCountOf(before, answered))).toEqual(timeless(before));

  // As signals: nobody is answered, so the list of refusals must tell; a look at a mover takes its time.
  const signals = said.filter(({ name, verdict }) => !(name === 'reassign' && verdict === 'taken'));
  await Promise.all(signals.map(({ name, payload }) => run.signal(name, payload)));
  await run.signal('cutover', { by: 'ben' });
  const strange = await handleOf(run)
    .executeUpdate('cutover', { args: [{ by: 'ben' }] })
    .catch((error: Error) => `${error.message} ${(error.cause as Error | undefined)?.message}`);
  expect(strange).toMatch(/cutover/);
  const told = signals.map(refusalBy).filter((one) => one !== undefined);
  const unknown = {
    message: 'cutover',
    by: 'unknown',
    phase: where.phase,
    reason: expect.stringMatching(/^no message is called so/),
  };
  const after = await untilHeard(run, told.length + 1);
  const last = asCounted(after.refusals.slice(-told.length - 1).map(withoutAt), after, before);
  expect(last).toContainEqual(unknown);
  const rest = last.filter((one) => (one as { message: string }).message !== 'cutover');
  expect(byText(rest)).toEqual(byText(told));
  expect(timeless(withCountOf(before, after))).toEqual(timeless(before));
}

/** Signals are heard in the order they came; the one nobody knows was the last. */
async function untilHeard(run: Run, count: number): Promise<Story> {
  for (const end = Date.now() + 30_000; ; await pause(50)) {
    const story = await storyNow(run);
    const heard = story.refusals.slice(-count);
    if (heard.length === count && heard.at(-1)?.message === 'cutover') return story;
    expect(Date.now()).toBeLessThan(end);
  }
}

/** What the law takes here is taken, and does what the law says; the run may have gone on since. */
async function take(run: Run, name: MessageName, payload: object = {}): Promise<void> {
  const words = { by: 'ana', ...payload };
  expect(judged(await storyNow(run), name, words).verdict).toBe('taken');
  if (name === 'commit') scene.lab.witness.allowRetirement(run.machine.name);
  expect(await answerTo(run, { name, payload: words })).toEqual({ verdict: 'taken' });
}

/** Held and going on again is the same as before. */
async function expectHoldAndResume(run: Run): Promise<void> {
  const before = await storyNow(run);
  await take(run, 'hold');
  const held = await storyNow(run);
  expect(timeless(withCountOf(before, held))).toEqual(timeless(judged(before, 'hold', { by: 'ana' }).story));
  await take(run, 'resume');
  expect(timeless(withCountOf(before, await storyNow(run)))).toEqual(timeless(before));
}

interface Stand {
  readonly world: World;
  /** A rule without what it does. */
  readonly rule: object;
  /** Makes the step fail so that a person is called. */
  readonly fail: object;
  /** Keeps the phase standing while the step is under way. */
  readonly slow: object;
}

const azure = (operation: string, resource: string, skip = 0, count = 1): Stand => ({
  world: 'azure',
  rule: { operation, resource, skip, count },
  fail: { action: { status: 403, code: 'AuthorizationFailed', message: 'no right' } },
  slow: { action: { delayMs: standMs } },
});
const vcenter = (method: string, objectName: string): Stand => ({
  world: 'vcenter',
  rule: { method, objectName, count: 1 },
  fail: { fault: 'NoPermission' },
  slow: { where: 'task', delayMs: standMs },
});

/**
 * Its step fails and calls an operator, it is tried again and takes long: the matrix is said in both. `next`: the failure of
 * the phase that comes then, armed before this one ends.
 */
async function standBoth(run: Run, phase: Phase, stand: Stand, next?: Stand): Promise<void> {
  await run.untilView('called', ({ status }) => status?.phase === 'NeedsOperator' && status.left === phase);
  await expectTheLaw(run, { phase: 'NeedsOperator', left: phase });
  await scene.forgetRules();
  await scene.fault(stand.world, { ...stand.rule, skip: 0, ...stand.slow });
  await take(run, 'resolve', { action: 'retry' });
  await scene.untilMet(stand.world);
  await expectTheLaw(run, { phase });
  if (phase === 'Preflight' || phase === 'Seeding') await expectHoldAndResume(run);
  if (next) await scene.fault(next.world, { ...next.rule, ...next.fail });
  await letGo(stand);
}

/** Takes away the rule that delays, and no other: what fails next is armed already. */
async function letGo({ world }: Stand): Promise<void> {
  await scene.forgetOldestRule(world);
}

test(
  'S6 S7 the whole matrix on the way home: in every phase, and called from it, every message good and bad is answered as the law says, and a refused one changes nothing',
  async () => {
    const { name, source, target } = scene.lab.machines[0] ?? { name: '', source: { vm: '' }, target: { vm: '' } };
    const looks = { ...azure('virtualMachines.get', source.vm, 0, 1_000) };
    const opens = vcenter('ReconfigVM_Task', target.vm);
    const points = azure('snapshots.createOrUpdate', `homeward-${name}`);
    const stops = azure('virtualMachines.deallocate', source.vm);
    const lastPoint = azure('snapshots.createOrUpdate', '-final');
    // The first MiB is withheld until then, so nothing but a seal reads it.
    const head = azure('blob.getRange', '-final');
    const seals = {
      ...head,
      rule: { ...head.rule, range: 'bytes=0-' },
      fail: { action: { status: 404, code: 'BlobNotFound' } },
      // A connection that is silent for long is given up and asked again.
      slow: { ...head.slow, count: 20 },
    };
    const starts = vcenter('PowerOnVM_Task', target.vm);
    const deletes = azure('virtualMachines.delete', source.vm);

    await scene.fault(looks.world, { ...looks.rule, ...looks.fail });
    const run = await scene.begin({ roundEvery: 0.5 }, { applicationPointEverySeconds: 3_600 });
    await standBoth(run, 'Preflight', { ...looks, rule: { ...looks.rule, count: 1 } }, opens);
    await standBoth(run, 'Seeding', opens);

    await run.until('Syncing');
    await scene.fault(points.world, { ...points.rule, ...points.fail });
    await run.until('NeedsOperator');
    await expectTheLaw(run, { phase: 'NeedsOperator', left: 'Syncing' });
    await take(run, 'resolve', { action: 'retry' });
    await run.until('Syncing');
    await expectTheLaw(run, { phase: 'Syncing' });
    await expectHoldAndResume(run);
    await scene.forgetRules();
    await run.untilView('with a point', ({ status }) => status?.applicationPoints?.length === 1);

    await scene.fault(stops.world, { ...stops.rule, ...stops.fail });
    await take(run, 'completeFailover');
    await standBoth(run, 'StoppingSource', stops, lastPoint);
    await standBoth(run, 'FinalSync', lastPoint, seals);
    await standBoth(run, 'Sealing', seals, starts);
    await standBoth(run, 'StartingTarget', starts);

    await run.until('AwaitingCommit');
    await scene.fault(looks.world, { ...looks.rule, ...looks.fail });
    await run.until('NeedsOperator');
    await expectTheLaw(run, { phase: 'NeedsOperator', left: 'AwaitingCommit' });
    await scene.forgetRules();
    await take(run, 'resolve', { action: 'retry' });
    await run.until('AwaitingCommit');
    await expectTheLaw(run, { phase: 'AwaitingCommit' });
    await expectHoldAndResume(run);

    await scene.fault(opens.world, { ...opens.rule, ...opens.fail });
    scene.lab.witness.olderChosen(name);
    await take(run, 'changePoint', { point: 'application-consistent', acceptLoss: true });
    await standBoth(run, 'ChangingPoint', opens);
    await run.until('AwaitingCommit');
    await expectTheLaw(run, { phase: 'AwaitingCommit' });
    scene.lab.witness.olderChosen(name, false);
    await take(run, 'changePoint', { point: 'latest', acceptLoss: true });
    await run.untilView('at the latest point', ({ status }) => {
      return status?.phase === 'AwaitingCommit' && status.pointChanged?.point === 'latest';
    });

    await scene.fault(deletes.world, { ...deletes.rule, ...deletes.fail });
    await take(run, 'commit');
    await standBoth(run, 'Committing', deletes);
    await run.until('Committed');
    await expectOver(run);
    expect(await run.wrongAtEnd('committed-after-change')).toEqual([]);
  },
  runMs,
);

/** A run that has ended takes nothing, says so, and its result is what it was. */
async function expectOver(run: Run): Promise<void> {
  await run.untilView('over', ({ execution }) => execution === 'completed');
  const before = await statusOf(run);
  for (const [name, payload] of wellSaid(storyOf(before, ''))) {
    const failed = await run.signal(name, payload).then(
      () => 'taken',
      ({ name: kind }: Error) => kind,
    );
    expect([name, failed]).toEqual([name, 'WorkflowNotFoundError']);
  }
  expect(await statusOf(run)).toEqual(before);
}

test(
  'S5 S7 the whole matrix on the way back: before a cutover that copies everything, and while the run is taken back, every message is answered as the law says',
  async () => {
    const run = await scene.begin({ sync: 'during' });
    await run.until('AwaitingCutover');
    await expectTheLaw(run, { phase: 'AwaitingCutover' });
    await expectHoldAndResume(run);
    const lastPoint = azure('snapshots.createOrUpdate', '-final');
    await scene.fault(lastPoint.world, { ...lastPoint.rule, ...lastPoint.fail });
    await take(run, 'completeFailover');
    await run.until('NeedsOperator');
    await scene.forgetRules();
    const back = azure('virtualMachines.start', run.machine.source.vm);
    await scene.fault(back.world, { ...back.rule, ...back.fail });
    await take(run, 'cancel');
    await standBoth(run, 'Undoing', back);
    await run.until('ReturnedToSource');
    await expectOver(run);
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  runMs,
);
