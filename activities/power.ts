/**
 * Power on both sides.
 * Rule (S1): before either side is started the other one is observed stopped, here and not from what somebody remembered:
 * once before anything is waited for, and again by the site right before each request to start leaves. For the source,
 * "stopped" means never started since the final point was taken.
 */
import { setTimeout } from 'node:timers/promises';
import type { FailbackInput } from '../model/failback-input.ts';
import { Failure, refused, sourceGone } from '../model/failure.ts';
import type { OpenDisk, Power, RecoveryPoint, SourceMachine, SourceState, TargetMachine } from '../model/machine.ts';
import type { Work } from '../sites/source.ts';
import type { TargetPower, TargetSite } from '../sites/target.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';
import { assertSourceThere } from './source-there.ts';
import { tellingUntouched } from './untouched.ts';

/** How often the guest is looked at while it boots, in milliseconds. */
const guestLookEveryMs = 500;

export interface SourceStop {
  readonly failback: FailbackInput;
  /** `SourceMachine.identity` as preflight found it: only that machine is stopped or started. */
  readonly identity: string | undefined;
}

export interface SourceStart extends SourceStop {
  readonly run: string;
  /** Whether the sealed disks may already hang on the target machine. */
  readonly disksReturned: boolean;
  /** Those disks. */
  readonly open?: readonly OpenDisk[];
}

export interface TargetRun {
  readonly failback: FailbackInput;
  readonly run: string;
  /** The disks that were returned to it, as they were opened last. */
  readonly open?: readonly OpenDisk[];
}

/** What a site is told of the power of a run's target. */
export const targetPower = ({ failback, run, open }: TargetRun): TargetPower => ({
  ...{ path: failback.target.path, run, made: isMade(failback) },
  ...(open ? { open, mover: failback.mover.path } : {}),
});

export interface TargetStop extends TargetRun {
  /** How often the target had had the disks in use when this was wanted; absent: stopped whatever arrived since. */
  readonly uses?: number;
  /** No start of the run has started it. */
  readonly neverStarted?: true;
  /** On the way back from a machine that may serve: the source as it was found. It is not stopped unless that is there. */
  readonly found?: SourceMachine;
}

export interface GuestLook extends TargetRun {
  /** It boots to be proven: nobody gives out addresses on the isolated network, and nothing is live yet. */
  readonly apart?: boolean;
}

export interface TargetStart extends TargetRun {
  /** What the target's disks are made of. */
  readonly final: RecoveryPoint;
  /** How often the target had the disks in use in this run before; absent: never. */
  readonly uses?: number;
}

export const createPowerActivities = (sites: Sites) => ({
  ensureSourceStopped: activity(
    'ensureSourceStopped',
    ({ failback: { source }, identity }: SourceStop, attempt): Promise<SourceState> =>
      tellingUntouched(attempt, (work) =>
        sites.source(source.site).ensureStopped({ path: source.path, identity }, work),
      ),
  ),

  ensureSourceStarted: activity('ensureSourceStarted', async (input: SourceStart, work): Promise<SourceState> => {
    const { failback, identity } = input;
    const { site, path } = failback.source;
    const otherSideOff = (): Promise<void> => assertTargetOff(sites.target(failback.target.site), input, work);
    await otherSideOff();
    return await sites.source(site).ensureStarted({ path, identity, otherSideOff }, work);
  }),

  ensureTargetStarted: activity(
    'ensureTargetStarted',
    (input: TargetStart, attempt): Promise<TargetMachine> =>
      tellingUntouched(attempt, async (work) => {
        const { site } = input.failback.target;
        const otherSideOff = (): Promise<void> => assertSourceOff(sites, input, 'the target starts', work);
        await otherSideOff();
        return await sites.target(site).ensureStarted({ ...targetPower(input), otherSideOff }, work);
      }),
  ),

  ensureTargetStopped: activity(
    'ensureTargetStopped',
    async ({ uses, neverStarted, found, ...input }: TargetStop, work): Promise<TargetMachine> => {
      const { site, path } = input.failback.target;
      if (found) await assertSourceThere(sites, { ...input, found, step: 'stop', stays: [path] }, work);
      const wanted = { ...(uses === undefined ? {} : { uses }), ...(neverStarted && { neverStarted }) };
      return await sites.target(site).ensureStopped({ ...targetPower(input), ...wanted }, work);
    },
  ),

  /**
   * Waits until the guest's agent answers and, unless it is apart, an address is known; Refused when it takes longer than
   * the policy allows.
   */
  observeGuest: activity(
    'observeGuest',
    (input: GuestLook, work): Promise<TargetMachine> =>
      awaitGuest(sites.target(input.failback.target.site), input, work),
  ),
});

/**
 * A target whose disks never came back to it has nothing to run (S4), so one that is not found, or a vCenter that is out of
 * reach, must not keep the source from serving again; once the disks were returned, only a look at the target will do.
 */
async function assertTargetOff(site: TargetSite, input: SourceStart, work: Work): Promise<void> {
  const { path } = input.failback.target;
  if (input.disksReturned) {
    const seen = await site.observeReturnedPower(targetPower(input), work);
    const target = seen.recordOf === input.run ? 'target' : `target, which is ${seen.name} now without our record,`;
    return assertOff(target, path, seen, targetRuns);
  }
  try {
    const seen = await site.observeMachine(path, work, input.run, isMade(input.failback));
    if (seen.power !== 'absent') assertOff('target', path, seen, targetRuns);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'Transient') throw error;
    work.report('the target cannot be seen, but its disks never came back to it');
  }
}

/** At an alternate location the run makes the target itself; whatever else stands at the path is none of its business. */
export const isMade = ({ create }: FailbackInput): boolean => create !== undefined;

/** What a look at the source is for. Once the target's start may have been sent, the law takes a way back only with the loss flag. */
export type Before = 'the disks go back' | 'the target starts' | 'another point' | 'the commit';

const lossOnly =
  'cancel with the loss flag (homeward failback cancel --accept-loss): what was written at home since its start is lost then';

/** The watch does not know of a commit that came while somebody held the run, and the law takes no cancel after it. */
const committedAlready =
  'If it was committed already and is only held, no cancel is taken any more: resolve with skip, then resume. Homeward deletes no source that ran again, so you can save its newer data by hand.';

/** How the run is taken back from there, as the law takes it (model/transition.ts). */
const wayBack: Readonly<Record<Before | 'the disks go back again', string>> = {
  'the disks go back':
    'Take the run back (resolve with undo; nothing was started at home, so nothing is lost), then start a new failback.',
  'the disks go back again':
    'Take the run back (resolve with undo; what was written at home was dropped with the change of the point), then start a new failback.',
  'another point': 'Nothing was changed: the machine at home goes on as it is.',
  'the target starts': `Take the run back, then start a new failback: ${lossOnly}; if it never ran, that is nothing.`,
  'the commit': `Decide which side keeps its data. The source: ${lossOnly}. The target: stop the source, resolve with skip, and commit. ${committedAlready}`,
};

const deletesNothing =
  'It deletes nothing while the source is not there: leave those steps out with skip, and start the machine yourself from the disks you trust: those at home, or disks made from the snapshots tagged homeward-machine.';
const backToNothing = `Take the run back (resolve with undo). ${deletesNothing}`;

/** The same where the source is gone: what is left may be the last copy. */
const wayOn: typeof wayBack = {
  ...wayBack,
  'the disks go back': backToNothing,
  'the disks go back again': backToNothing,
  'the target starts': `Take the run back: cancel with the loss flag (homeward failback cancel --accept-loss). ${deletesNothing}`,
  'the commit':
    'Do not cancel: there is nothing to go back to, and the machine at home may be the last copy. Look at it; to keep it, resolve with skip, then commit, and where the deletion in Azure is refused leave it out with skip. A cancel stops and deletes nothing while the source is not there.',
};

const targetRuns =
  'Find out who started the target and look at what was written there. If the source is gone, the machine at home may be the last copy: leave it as it is and resolve with skip. Else stop it, then resolve with retry; or resolve with skip and see to the power of the source yourself.';

/** Looked at here and now: whoever is about to bring the target to life may not go by what was seen before. */
export async function assertSourceOff(
  sites: Sites,
  { failback, final, uses = 0 }: TargetStart,
  before: Before,
  work: Work,
): Promise<void> {
  const { site, path } = failback.source;
  const from = before === 'the disks go back' && uses > 0 ? 'the disks go back again' : before;
  const seen = await sites.source(site).observeMachine(path, work);
  // S1: a machine that is gone is not off. Its disks may hang on another one and be written to.
  if (seen.power === 'absent')
    throw refused({
      op: sourceGone,
      subject: path,
      message: 'the source was deleted after it was stopped; its disks may run in another machine',
      hint: `Find out in Azure who deleted it and where its disks are. Homeward does not start the target beside them. ${wayOn[from]}`,
    });
  assertOff('source', path, seen, `Find out who started the source: it has newer data. ${wayBack[from]}`);
  if (seen.stoppedSince !== undefined && seen.stoppedSince === final.sourceStoppedSince) return;
  throw refused({
    op: 'source-changed',
    subject: path,
    message: 'the source was started after the final recovery point was taken, and stopped again',
    hint: `The source has newer data; a plain retry loses data. ${wayBack[from]}`,
  });
}

function assertOff(
  side: string,
  path: string,
  { power, powerSeen }: { readonly power: Power; readonly powerSeen: string },
  hint: string,
): void {
  if (power === 'stopped') return;
  throw refused({
    op: 'observe-power',
    subject: path,
    message: `the ${side} is ${power} (${powerSeen}), so the other side must not start`,
    hint,
  });
}

const guestHint = {
  atHome:
    'Look at its console. Resolve with retry to wait again, or cancel with the loss flag to return to the source.',
  apart:
    'It still runs on the isolated network: look at its console. Resolve with retry to wait again, or with undo to go back; nothing went live, so nothing is lost.',
};

export async function awaitGuest(
  site: Pick<TargetSite, 'observeMachine'>,
  { failback, run, apart }: GuestLook,
  work: Work,
): Promise<TargetMachine> {
  const { target, policy } = failback;
  const deadline = performance.now() + policy.guestWaitSeconds * 1000;
  for (;;) {
    const seen = await site.observeMachine(target.path, work, run, isMade(failback));
    const isOurs = seen.recordOf === run;
    if (isOurs && seen.power === 'running' && guestAnswers(seen, apart)) return seen;
    if (isOurs && seen.guest.agent === 'not-installed' && seen.power === 'running' && performance.now() > deadline)
      return seen;
    const whose = isOurs ? '' : ', without the record of this run';
    if (performance.now() > deadline)
      throw refused({
        op: 'observe-guest',
        subject: target.path,
        message: `the guest did not answer within ${policy.guestWaitSeconds} s (power ${seen.power}, agent ${seen.guest.agent}${whose})`,
        hint: apart ? guestHint.apart : guestHint.atHome,
      });
    work.report(`power ${seen.power}, guest agent ${seen.guest.agent}${whose}`);
    await setTimeout(guestLookEveryMs, undefined, { signal: work.signal });
  }
}

/** Apart from everybody there is nobody to give it an address. */
export const guestAnswers = ({ guest }: Pick<TargetMachine, 'guest'>, apart = false): boolean =>
  guest.agent === 'running' && (apart || guest.ip !== undefined);
