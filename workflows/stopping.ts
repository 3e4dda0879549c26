/**
 * The stop of the source: what is looked at and run before it, and how it is taken back.
 * Rule: each try looks at home and at the source right before the stop. A source that serves is not stopped without its scripts
 * (S001-20), and the undo starts one that served at any look since its scripts were due, whoever stopped it since (S5).
 */
import { isCancellation, sleep } from '@temporalio/workflow';
import { isOpen, noOutage } from '../model/outage.ts';
import { markSourceSeen } from '../model/transition.ts';
import { checkHomeBeforeStop } from './clearance.ts';
import { type Journey, ofPower, type Way } from './departure.ts';
import { stepsBeforeStop } from './guest-steps.ts';
import { needHomeAsOpened } from './home-look.ts';
import type { Standing } from './proven.ts';
import { onceCurrent, type Synced } from './rounds.ts';
import { servesBehindStop } from './source-turns.ts';
import { wasUntouched } from './trouble.ts';
import { briefVerbs, controlVerbs, summary } from './verbs.ts';

/** `startedAt`: when the outage began (epoch ms), right before the stop was sent that stopped it. `still`: what the final round goes on from. */
interface Stopped {
  readonly startedAt: number;
  readonly still?: Synced;
}

/** What is known of the source while it is being stopped; its undo reads it when it acts. */
interface Stood {
  /** At any look since its scripts were due; never false again, because a stop that was not heard of may have gone through. */
  served: boolean;
  /** Its power at the last look. */
  powerSeen: string;
}

const undoOf = ({ served }: Stood) => (served ? 'start' : 'leave');

type Seen = Readonly<Stood>;

/** Being started it is taken to serve: one that goes down is off inside from then on. What is being deleted serves nobody. */
async function lookAtSource({ input }: Journey, verbs: typeof briefVerbs = controlVerbs): Promise<Seen> {
  const { powerSeen, power, guestOff, beingDeleted } = await verbs(input).observeSource.executeWithOptions(
    summary(`How does ${input.source.path} stand?`),
    [input],
  );
  const on = power === 'running' || (power === 'changing' && beingDeleted !== true);
  return { served: on && guestOff !== true, powerSeen };
}

export async function readyAndStopped(
  journey: Journey,
  way: Way,
  target: Standing,
  synced: Synced | undefined,
): Promise<Stopped> {
  const stood: Stood = { served: false, powerSeen: '' };
  for (let from = synced; ; ) {
    await readyToStop(journey, way, stood);
    const { startedAt, still } = await stopTheSource(journey, way, { stood, target }, from);
    if (startedAt !== undefined) return { startedAt, ...(still ? { still } : {}) };
    from = still;
  }
}

/** Runs the scripts in a source that serves. */
async function readyToStop(journey: Journey, way: Way, stood: Stood): Promise<void> {
  const seen = await journey.course.step(() => lookAtSource(journey));
  stood.served ||= seen.served;
  stood.powerSeen = seen.powerSeen;
  // Behind a stop that was refused: what was off then is started on the way back once it has served.
  const { sourceUndo } = journey.teller.findings;
  journey.teller.find({ sourceIdle: !seen.served, ...(sourceUndo && { sourceUndo: undoOf(stood) }) });
  await stepsBeforeStop(journey, way, seen.served);
}

const undoName = 'stop the source';

/** S5: once, right before the first stop is sent; what never was stopped is not started on the way back. */
function registerStopUndo(journey: Journey, way: Way, target: Standing, stood: Stood): void {
  const { input, teller, course } = journey;
  const { identity } = way.found;
  course.beforehand(undoName, async () => {
    // A machine that was shut down inside stays so. It is deallocated now instead of merely shut down: to bring even that
    // back it would have to be started, which is what nobody wanted of it.
    if (!stood.served) {
      // Somebody may have started it since; whoever reads the end must know.
      const now = await lookAtSource(journey, briefVerbs).catch(() => undefined);
      if (now) {
        teller.find({ sourceIdle: !now.served });
        const how = now.served ? 'is left running: somebody started it since' : 'is left off';
        teller.record('source-left', `the source was off before its stop and ${how}`, { power: now.powerSeen });
      }
      return teller.outageEnds();
    }
    const seen = await controlVerbs(input).ensureSourceStarted.executeWithOptions(
      summary(`Undo: start ${input.source.path} again`),
      [{ ...ofPower(journey), identity, disksReturned: target.returned }],
    );
    teller.amend(markSourceSeen);
    teller.find({ sourceIdle: false });
    teller.record('source-started', 'the source serves again', { power: seen.powerSeen });
    teller.outageEnds();
  });
}

/**
 * S000-28: nobody looks at home while the scripts run or a person is called, so each try to stop looks first. S9: what that
 * finds, a moved disk too, costs one more round, before the stop. Without `startedAt` it was not stopped: it serves, and did
 * not when its scripts were due.
 */
async function stopTheSource(
  journey: Journey,
  way: Way,
  { stood, target }: { readonly stood: Stood; readonly target: Standing },
  synced: Synced | undefined,
): Promise<Partial<Stopped>> {
  const { run, teller, course } = journey;
  const { pairs, found } = way;
  const stop = async (): Promise<Partial<Stopped>> => {
    const { input } = journey;
    const seen = await lookAtSource(journey);
    if (seen.served) servesBehindStop(teller);
    if (seen.served && !stood.served) return {};
    stood.powerSeen = seen.powerSeen;
    if (teller.findings.sourceUndo === undefined) registerStopUndo(journey, way, target, stood);
    teller.find({ sourceIdle: !seen.served, sourceUndo: undoOf(stood) });
    // S5: what its guest needs on the way back, it needs running, so also what was registered since the last stop comes later.
    course.onceMore(undoName);
    const alone = !isOpen(teller.findings.outage);
    // Behind a stop that was not heard of, and that it went down in, it is the same outage.
    teller.outageBegins(new Date().toISOString());
    const { startedAt = '' } = teller.findings.outage ?? {};
    const { powerSeen: power } = await controlVerbs(input)
      .ensureSourceStopped.executeWithOptions(summary(`Stop the source ${input.source.path}`), [
        { failback: input, identity: found.identity },
      ])
      .catch((error: unknown) => lookBehind(journey, error, alone));
    teller.record('source-stopped', 'the source was observed stopped after the stop', {
      before: stood.powerSeen,
      power,
    });
    return { startedAt: Date.parse(startedAt) };
  };
  if (!synced)
    return await course.step(async () => {
      await checkHomeBeforeStop(journey, way);
      return await stop();
    });
  const { answer, synced: still } = await onceCurrent(journey, way, synced, async (open) => {
    const { input } = journey;
    const when = `Right before ${input.source.path} stops`;
    await needHomeAsOpened({ input, run, pairs, open }, when);
    // S9: the next mover copies in full, which is done while the source serves.
    if (teller.story.reassignment) return undefined;
    return await stop();
  });
  return { ...answer, still };
}

/** How long Azure may take to show a stop that it has accepted, in milliseconds. */
const showsWithinMs = 15_000;

/**
 * S5: a stop that failed has cut nobody off where it is known never to have begun, or where the source serves for a while
 * behind it. Throws the failure. `alone`: no other stop may be under way.
 */
async function lookBehind(journey: Journey, error: unknown, alone: boolean): Promise<never> {
  const { teller } = journey;
  if (alone && wasUntouched(error)) teller.find(noOutage(teller.findings));
  else if (!isCancellation(error)) await servesOn(journey).catch(() => undefined);
  throw error;
}

/** A cancel, or a look that fails, leaves the outage as it is told. */
async function servesOn(journey: Journey): Promise<void> {
  for (const pauseMs of [showsWithinMs, 0]) {
    const { served } = await lookAtSource(journey, briefVerbs);
    if (!served) return journey.teller.find({ sourceIdle: true });
    if (pauseMs > 0) await sleep(pauseMs, summary('May the stop that failed show yet?'));
  }
  servesBehindStop(journey.teller);
}
