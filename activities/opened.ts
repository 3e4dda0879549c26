/**
 * Looks again while a run is under way: between two rounds whether all still stands at home as it was opened, and right
 * before the source is stopped whether the whole way is still clear.
 * Rule: between two rounds only what was seen counts. A vCenter that is out of reach then is told and stops no round,
 * because the rounds do not need it; before the cutover it refuses, because the cutover does. Changes nothing.
 */
import { arrivalWish } from '../model/arrival-faults.ts';
import { blocking, type Check, withoutStart } from '../model/check.ts';
import { Failure, refused } from '../model/failure.ts';
import type { OpenDisk, SourceMachine } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import { sameDisks } from '../model/pairing.ts';
import { pointsWish } from '../model/point-policy.ts';
import { scriptsWish } from '../model/tools-step.ts';
import type { OpenedRequest } from '../sites/target.ts';
import { ask, look } from './asking.ts';
import { activity, type ReportingWork } from './attempt.ts';
import { askBothSides, askTarget, type PreflightAnswer, type Sites } from './preflight.ts';
import { type TargetInput, targetRequest } from './target.ts';

export interface OpenedInput extends TargetInput {
  readonly open: readonly OpenDisk[];
  /** Home has to be seen: one that is out of reach is no answer, but tried again. */
  readonly needed?: boolean;
}

export interface AgainInput extends TargetInput {
  /** Absent when nothing was opened yet. */
  readonly open?: readonly OpenDisk[];
}

export interface HomeSeen {
  /** Why home could not be looked at; absent when all stands as it was opened. */
  readonly unseen?: string;
}

export interface HomeAgainInput extends TargetInput {
  /** The source as it was found. */
  readonly found: SourceMachine;
}

export interface HomeAgain {
  readonly checks: readonly Check[];
}

export const openedRequest = (input: OpenedInput): OpenedRequest => ({ ...targetRequest(input), open: input.open });

export const createOpenedActivities = (sites: Sites) => ({
  /** Refused with the check's name as its op when something at home is not as it was opened. */
  observeHomeStays: activity(
    'observeHomeStays',
    (input: OpenedInput, work): Promise<HomeSeen> => assertHomeStays(sites, input, work),
  ),

  /** The checks of both sides once more, those which only make sense at the start left out. */
  observeWayAgain: activity('observeWayAgain', async (input: AgainInput, work): Promise<PreflightAnswer> => {
    const { failback, run, pairs, open } = input;
    const made = failback.create !== undefined && open !== undefined;
    const answer = made ? await askMade(sites, input, work) : await askBothSides(sites, failback, work, run);
    const { path, site } = failback.target;
    const opened = open
      ? await ask('target', path, work, () => sites.target(site).observeOpened(openedRequest({ ...input, open }), work))
      : [];
    const known = new Set(answer.checks.map(({ id, subject }) => `${id} ${subject}`));
    const more = opened.filter(({ id, subject }) => !known.has(`${id} ${subject}`));
    const same = answer.source ? sameDisks(pairs, answer.source.disks, answer.pairs, failback.source.path) : [];
    return { ...answer, checks: withoutStart([...answer.checks, ...more, ...same]) };
  }),

  /** Home's part of them, where nothing was opened yet. */
  observeHomeAgain: activity('observeHomeAgain', async (input: HomeAgainInput, work): Promise<HomeAgain> => {
    const { failback, run, pairs, creation, found } = input;
    const site = sites.target(failback.target.site);
    if (!creation) return { checks: await askTarget(site, failback, { source: found, run, beside: false }, work) };
    const { path } = failback.target;
    const place = { path, run, mover: failback.mover.path, ...arrivalWish(failback.policy), pairs, machine: creation };
    return { checks: await ask('target', path, work, () => site.preflightNewPlace(place, work)) };
  }),
});

/** A machine that this run has made already: its place is taken by itself, so only what may have changed is asked. */
async function askMade(sites: Sites, input: AgainInput, work: ReportingWork): Promise<PreflightAnswer> {
  const { failback, run } = input;
  const { source: from, target: to, mover, policy } = failback;
  const source = await look('source', from.path, work, () => sites.source(from.site).observeMachine(from.path, work));
  const asked = {
    ...{ path: from.path, guestAgentWithinSeconds: policy.guestAgentWithinSeconds },
    ...pointsWish(policy),
    ...scriptsWish(policy, source.seen?.os),
  };
  // Its disks hang on the mover already, so no slot has to be free for them.
  const datastores = input.creation ? [input.creation.datastore] : [];
  const made = { path: to.path, run, ...arrivalWish(policy) };
  const ready = { mover: mover.path, datastores, diskSizesBytes: [], made };
  const checks = [
    ...source.checks,
    ...(await ask('source', from.path, work, () => sites.source(from.site).preflight(asked, work))),
    ...(await ask('target', to.path, work, () => sites.target(to.site).preflightMover(ready, work))),
  ];
  const { version } = sites;
  return source.seen ? { version, checks, source: source.seen, pairs: input.pairs } : { version, checks, pairs: [] };
}

/** One look at home. Throws Refused with the check's name as its op when something there is not as it was opened. */
export async function assertHomeStays(sites: Sites, input: OpenedInput, work: ReportingWork): Promise<HomeSeen> {
  const checks = await lookAtHome(sites, input, work);
  if (typeof checks === 'string') return { unseen: checks };
  const findings = blocking(checks);
  // S9: a disk that moved is told before all others, because its call alone has it copied in full.
  const first = findings.find(({ id }) => id === movedDiskCheck) ?? findings[0];
  if (first) throw asFailure(first);
  return {};
}

async function lookAtHome(sites: Sites, input: OpenedInput, work: ReportingWork): Promise<Check[] | string> {
  try {
    return await sites.target(input.failback.target.site).observeOpened(openedRequest(input), work);
  } catch (error) {
    work.signal.throwIfAborted();
    if (input.needed || !(error instanceof Failure) || error.kind === 'Defect') throw error;
    return error.message;
  }
}

const asFailure = ({ id, subject, seen, remedy }: Check): Failure =>
  refused({
    op: id,
    subject,
    message: `it changed at home while the disks are open: ${seen}`,
    hint: `${remedy ?? 'Put it back as it was.'} Then resolve with retry: the copy goes on.`,
  });
