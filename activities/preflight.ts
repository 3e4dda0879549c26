/**
 * Asks both sides whether the way home is clear and pairs their disks. Looks only; changes nothing.
 * Rule: one side being out of reach is an answer (a refusing check), not an error. A side that is only too busy to answer
 * is asked again by Temporal, as late as it wishes, before that becomes an answer too.
 */
import { arrivalWish } from '../model/arrival-faults.ts';
import { type Check, ownStop, sparingTarget } from '../model/check.ts';
import { locationCheck, type NewMachine, type SourceShape } from '../model/creation.ts';
import type { FailbackInput, PreflightQuestion } from '../model/failback-input.ts';
import { aloneChecks, groupSystemChecks, type MemberSystem } from '../model/group.ts';
import type { DiskPair, MoverPlace, SourceHardware, SourceMachine, TargetMachine } from '../model/machine.ts';
import { originChecks } from '../model/origin.ts';
import { pairDisks } from '../model/pairing.ts';
import { pointsCheck, pointsWish } from '../model/point-policy.ts';
import { rereadCheck } from '../model/reread-check.ts';
import { scriptsWish } from '../model/tools-step.ts';
import type { SourceSite } from '../sites/source.ts';
import type { TargetSite } from '../sites/target.ts';
import { ask, look } from './asking.ts';
import { activity, type ReportingWork } from './attempt.ts';
import { type KnownMachine, placeChecks } from './places.ts';
import { observeNewPlace } from './preflight-new-place.ts';

export interface Sites {
  /** Of this worker's program. */
  readonly version: string;
  source(site: string): SourceSite;
  target(site: string): TargetSite;
  /** As this worker's own inventory has it; undefined when it knows no such mover. */
  mover(name: string): (MoverPlace & { readonly site: string }) | undefined;
  /** The same for a machine, with the movers that the inventory names. */
  machine(name: string): KnownMachine | undefined;
}

export interface PreflightAnswer {
  /** Of the control worker that answered. */
  readonly version?: string;
  readonly checks: readonly Check[];
  /** A side that could not be seen is absent; then some check refuses, and there are no pairs. */
  readonly source?: SourceMachine;
  readonly target?: TargetMachine;
  readonly pairs: readonly DiskPair[];
  /** At an alternate location: the machine to make there. */
  readonly creation?: NewMachine;
}

export const createPreflightActivities = (sites: Sites) => ({
  observePreflight: activity(
    'observePreflight',
    (input: PreflightQuestion, work): Promise<PreflightAnswer> => askBothSides(sites, input, work),
  ),
});

/** `run`: the run that asks again while it is under way. */
export async function askBothSides(
  sites: Sites,
  input: PreflightQuestion,
  work: ReportingWork,
  run?: string,
): Promise<PreflightAnswer> {
  const { version } = sites;
  const places = placeChecks(version, sites.machine(input.machine), input);
  const answer = input.create
    ? await observeNewPlace(
        { source: sites.source(input.source.site), target: sites.target(input.target.site) },
        input,
        input.create,
        work,
      )
    : await observeOriginal(sites, input, work, run);
  const group = [
    ...aloneChecks(input.machine, input.group),
    ...groupSystemChecks(
      input.machine,
      input.group,
      await systemsOf(sites, input, answer.source, work),
      input.policy.moverSystem === 'same',
    ),
  ];
  const { underWay, stopped } = input;
  const sides = underWay !== undefined && stopped ? ownStop(answer.checks, underWay) : answer.checks;
  return { ...answer, version, checks: [...places, ...group, ...sides, ...rereadCheck(input, answer.pairs)] };
}

/** What the members of its group run; of one that cannot be seen nothing is said, its own preflight tells why. */
async function systemsOf(
  sites: Sites,
  { machine, group }: FailbackInput,
  source: SourceMachine | undefined,
  work: ReportingWork,
): Promise<MemberSystem[]> {
  if (!group) return [];
  const others = group.others.map(async ({ machine: name, source: at }) => {
    const { seen } = await look('source', at.path, work, () => sites.source(at.site).observeMachine(at.path, work));
    return { machine: name, os: seen?.os };
  });
  return [{ machine, os: source?.os }, ...(await Promise.all(others))];
}

async function observeOriginal(
  sites: Sites,
  input: PreflightQuestion,
  work: ReportingWork,
  run: string | undefined,
): Promise<PreflightAnswer> {
  const { policy, underWay } = input;
  const own = run ?? underWay;
  const sourceSite = sites.source(input.source.site);
  const targetSite = sites.target(input.target.site);
  const source = await look('source', input.source.path, work, () =>
    sourceSite.observeMachine(input.source.path, work),
  );
  const target = await look('target', input.target.path, work, () =>
    targetSite.observeMachine(input.target.path, work, own),
  );
  const { guestAgentWithinSeconds } = policy;
  const asked = {
    path: input.source.path,
    guestAgentWithinSeconds,
    ...pointsWish(policy),
    ...scriptsWish(policy, source.seen?.os),
  };
  // Its disks, which the run has given back to it.
  const given = own !== undefined && target.seen?.recordOf === own && target.seen.markedBy === undefined;
  const sides = { source: source.seen?.power, target: target.seen?.power, byRun: given && input.stopped === true };
  // Only at the start: what the machine is made of is told once, and a size that cannot be read is not compared.
  const shape =
    run === undefined && source.seen && sides.source !== 'absent'
      ? await look('source', input.source.path, work, () => sourceSite.observeShape(input.source.path, work))
      : undefined;
  const ofTarget = await askTarget(
    targetSite,
    input,
    { source: source.seen, shape: shape?.seen, run: own, beside: run === undefined },
    work,
  );
  const ofMover = (check: Check): boolean => check.subject === input.mover.path;
  const checks = [
    locationCheck(input.target, undefined),
    ...originChecks(input.origin, {
      subject: input.source.path,
      platform: targetSite.capabilities.platform,
      os: source.seen?.os?.name,
    }),
    ...(await ask('source', input.source.path, work, () => sourceSite.preflight(asked, work))),
    ...sparingTarget(
      ofTarget.filter((check) => !ofMover(check)),
      sides,
    ),
    ...ofTarget.filter(ofMover),
  ];
  if (!source.seen || sides.source === 'absent' || !target.seen) {
    const told = checks.some((check) => check.verdict === 'refuse');
    return {
      checks: told ? checks : [...checks, ...source.checks, ...target.checks],
      ...(source.seen ? { source: source.seen } : {}),
      ...(target.seen ? { target: target.seen } : {}),
      pairs: [],
    };
  }
  // Staged disks that the run has given back hang where the inventory's hung, under other names.
  const names = given && policy.write === 'staged' ? undefined : input.disks;
  const pairing = pairDisks(source.seen, target.seen, policy.write, names);
  checks.push(...sparingTarget(pairing.checks, sides), ...pointsCheck(policy, input.source.path));
  return { checks, source: source.seen, target: target.seen, pairs: pairing.pairs };
}

interface Seen {
  readonly source: SourceMachine | undefined;
  readonly shape?: SourceShape | undefined;
  readonly run: string | undefined;
  /** Somebody else asks while the run is under way. */
  readonly beside: boolean;
}

const sizeOf = (shape: SourceShape | undefined): Pick<SourceHardware, 'cpus' | 'memoryMiB'> => ({
  ...(shape?.cpus === undefined ? {} : { cpus: shape.cpus }),
  ...(shape?.memoryMiB === undefined ? {} : { memoryMiB: shape.memoryMiB }),
});

/** Home's part of a preflight of an original location. */
export const askTarget = (
  site: TargetSite,
  input: FailbackInput,
  { source, shape, run, beside }: Seen,
  work: ReportingWork,
): Promise<Check[]> =>
  ask('target', input.target.path, work, () =>
    site.preflight(
      {
        path: input.target.path,
        mover: input.mover.path,
        write: input.policy.write,
        ...arrivalWish(input.policy),
        diskSizesBytes: (source?.disks ?? []).map((disk) => disk.sizeBytes),
        ...(run === undefined ? {} : { run, beside }),
        ...(input.discards === undefined ? {} : { discards: input.discards }),
        ...(source && { source: { ...source.hardware, ...sizeOf(shape), nics: source.nics.length } }),
      },
      work,
    ),
  );
