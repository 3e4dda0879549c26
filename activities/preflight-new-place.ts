/**
 * Asks both sides about an alternate location: what the source is made of, and whether a machine like it can be made there.
 * Rule: the plan of the new machine is worked out here, once, and told with the checks; what was told is what is made.
 * Looks only; changes nothing.
 */
import { arrivalWish } from '../model/arrival-faults.ts';
import { blocking, type Check } from '../model/check.ts';
import { locationCheck, type NewMachine, planCreation } from '../model/creation.ts';
import type { FailbackInput, PreflightQuestion } from '../model/failback-input.ts';
import type { DiskPair, SourceMachine, TargetMachine } from '../model/machine.ts';
import type { CreateSection } from '../model/new-place.ts';
import { originChecks } from '../model/origin.ts';
import { pointsCheck, pointsWish } from '../model/point-policy.ts';
import { scriptsWish } from '../model/tools-step.ts';
import type { SourceSite } from '../sites/source.ts';
import type { TargetSite } from '../sites/target.ts';
import { ask, look } from './asking.ts';
import type { ReportingWork } from './attempt.ts';

export interface NewPlaceSides {
  readonly source: SourceSite;
  readonly target: TargetSite;
}

/** As a preflight answers; the target is what it is before the run: not made. */
export interface NewPlaceAnswer {
  readonly checks: readonly Check[];
  readonly source?: SourceMachine;
  readonly target: TargetMachine;
  readonly pairs: readonly DiskPair[];
  readonly creation?: NewMachine;
}

export async function observeNewPlace(
  sides: NewPlaceSides,
  input: PreflightQuestion,
  create: CreateSection,
  work: ReportingWork,
): Promise<NewPlaceAnswer> {
  const { path } = input.source;
  const source = await look('source', path, work, () => sides.source.observeMachine(path, work));
  const seen = source.seen?.power === 'absent' ? undefined : source.seen;
  const shape = seen && (await look('source', path, work, () => sides.source.observeShape(path, work)));
  const { guestAgentWithinSeconds } = input.policy;
  const asked = {
    ...{ path, guestAgentWithinSeconds },
    ...pointsWish(input.policy),
    ...scriptsWish(input.policy, seen?.os),
  };
  const checks: Check[] = [
    locationCheck(input.target, create),
    ...originChecks(input.origin, {
      subject: path,
      platform: sides.target.capabilities.platform,
      os: source.seen?.os?.name,
    }),
    ...(await ask('source', path, work, () => sides.source.preflight(asked, work))),
    ...pointsCheck(input.policy, path),
  ];
  // What stopped a look is told once: the checks of that side say it, or nobody does.
  if (blocking(checks).length === 0) checks.push(...source.checks, ...(shape?.checks ?? []));
  const target = notMade(input);
  if (!seen || !shape?.seen) return { checks, ...(source.seen ? { source: source.seen } : {}), target, pairs: [] };
  const { machine, pairs, checks: planned } = planCreation(input.target, create, shape.seen, seen.disks);
  checks.push(...planned);
  if (!machine) return { checks, source: seen, target, pairs: [] };
  const wish = arrivalWish(input.policy);
  const creation: NewMachine = wish.prove ? { ...machine, prove: true } : machine;
  const place = {
    path: input.target.path,
    run: input.underWay,
    mover: input.mover.path,
    pairs,
    machine: creation,
    ...wish,
  };
  checks.push(...(await ask('target', input.target.path, work, () => sides.target.preflightNewPlace(place, work))));
  return { checks, source: seen, target, pairs, creation };
}

const notMade = ({ target }: FailbackInput): TargetMachine => ({
  address: target,
  power: 'absent',
  powerSeen: 'not made yet',
  disks: [],
  snapshots: 0,
  guest: { agent: 'not-installed' },
});
