/**
 * Probes of the machine at home: after its start, on the isolated network, and while its commit is waited for.
 * Rule: each has its evidence in the record and in the status. A probe that fails calls an operator; only a policy that
 * names who accepts the loss lets the run go back by itself, and it says so in that person's name (L4, S7).
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { nothingArrived, type ProbeFact } from '../model/arrival.ts';
import type { Probe } from '../model/arrival-policy.ts';
import { withOtherPoint } from '../model/other-point.ts';
import type { Trouble } from '../model/transition.ts';
import type { Journey } from './departure.ts';
import { isOf, troubleOf } from './trouble.ts';
import { probeVerbs, summary } from './verbs.ts';

/** All of them, until they pass or a person is asked. */
export async function probeAtHome(journey: Journey): Promise<void> {
  const { probes } = journey.input.policy;
  if (probes.length === 0) return;
  await journey.course.step(async () => {
    const failed = await probeOnce(journey, probes, 'at-home');
    if (failed.length === 0) return;
    rollBack(journey, failed);
    throw probesFailed(
      journey,
      failed,
      'Look at the machine and its console. Resolve with retry to probe again. To go home to the source instead: cancel with the loss flag (homeward failback cancel --accept-loss); what was written at home since its start is lost then.',
    );
  });
}

/** Looks, records, and answers those that did not pass. */
export async function probeOnce(
  { input, run, teller }: Journey,
  probes: readonly Probe[],
  where: 'at-home' | 'isolated',
): Promise<ProbeFact[]> {
  const seen = await probeVerbs(input, probes).observeProbes.executeWithOptions(
    summary(`Probe ${input.target.path}: ${probes.map(({ name }) => name).join(', ')}`),
    [{ failback: input, run, probes, ...(where === 'isolated' ? { apart: true } : {}) }],
  );
  noteProbes({ teller }, seen, where);
  return seen.filter(({ passed }) => !passed);
}

export function noteProbes(
  { teller }: Pick<Journey, 'teller'>,
  seen: readonly ProbeFact[],
  where: 'at-home' | 'isolated' | 'soak',
): void {
  showProbes({ teller }, seen);
  for (const { name, kind, passed, seen: what, at, looks } of seen)
    teller.record(`probe/${where}/${name}`, `the probe ${name} ${passed ? 'passed' : 'failed'}`, {
      ...{ kind, passed, seen: what, at, looks },
    });
}

/** In the status alone. */
export const showProbes = ({ teller }: Pick<Journey, 'teller'>, probes: readonly ProbeFact[]): void =>
  teller.find({ arrival: { ...(teller.findings.arrival ?? nothingArrived), probes } });

/**
 * A guest that stays silent passes no probe: where the policy takes the run back then, it goes back as after one that
 * failed. It is thrown on in any case, to call an operator where nobody accepted the loss.
 */
export async function hearGuest<T>(journey: Journey, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    if (!isOf(error, 'observe-guest')) throw error;
    const at = new Date().toISOString();
    const trouble = troubleOf(error, at);
    rollBack(journey, [{ name: 'the guest', kind: 'tools', passed: false, seen: trouble.message, at, looks: 1 }]);
    throw noGood(journey, trouble);
  }
}

const words = (failed: readonly ProbeFact[]): string => failed.map(({ name, seen }) => `${name}: ${seen}`).join('; ');

export const probesFailed = (journey: Journey, failed: readonly ProbeFact[], hint: string): ApplicationFailure =>
  noGood(journey, {
    ...{ kind: 'Refused', op: 'probes', subject: journey.input.target.path, hint },
    ...{ message: `probes failed: ${words(failed)}`, since: new Date().toISOString() },
  });

/** What came home is no good: another point is advised where this run would take one. */
function noGood({ teller }: Journey, trouble: Trouble): ApplicationFailure {
  const { kind, op, subject, message, hint } = withOtherPoint(teller.story, trouble);
  return ApplicationFailure.create({ type: kind, nonRetryable: true, message, details: [{ op, subject, hint }] });
}

/** Takes the run back in the name of whoever accepted the loss beforehand; does nothing where nobody did. */
export function rollBack({ input, teller }: Journey, failed: readonly ProbeFact[]): void {
  const { rollback } = input.policy.commit;
  if (!rollback) return;
  teller.record('rollback', 'probes failed, and the policy takes the run back then', {
    lossAcceptedBy: rollback.lossAcceptedBy,
    failed: words(failed),
  });
  const note = `accepted beforehand in the policy, for the case that probes fail: ${words(failed)}`.slice(0, 1_000);
  teller.hear('cancel', { by: rollback.lossAcceptedBy, acceptLoss: true, note });
}
