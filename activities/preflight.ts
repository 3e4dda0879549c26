/**
 * Asks both sides whether the way home is clear and pairs their disks. Looks only; changes nothing.
 * Rule: one side being out of reach is an answer (a refusing check), not an error. A side that is only too busy to answer
 * is asked again by Temporal, as late as it wishes, before that becomes an answer too.
 */
import { type Check, sparingTarget } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { Failure } from '../model/failure.ts';
import type { DiskPair, MoverPlace, SourceMachine, TargetMachine } from '../model/machine.ts';
import { originChecks } from '../model/origin.ts';
import { pairDisks } from '../model/pairing.ts';
import { rereadCost } from '../model/scrub.ts';
import type { SourceSite } from '../sites/source.ts';
import type { TargetSite } from '../sites/target.ts';
import { activity, type ReportingWork } from './attempt.ts';

/** The attempt at which a side that says nothing but how busy it is becomes an answer, so that a person hears of it. */
const lastPatientAttempt = 6;

export interface Sites {
  source(site: string): SourceSite;
  target(site: string): TargetSite;
  /** As this worker's own inventory has it; undefined when it knows no such mover. */
  mover(name: string): (MoverPlace & { readonly site: string }) | undefined;
}

export interface PreflightAnswer {
  readonly checks: readonly Check[];
  /** A side that could not be seen is absent; then some check refuses, and there are no pairs. */
  readonly source?: SourceMachine;
  readonly target?: TargetMachine;
  readonly pairs: readonly DiskPair[];
}

export const createPreflightActivities = (sites: Sites) => ({
  observePreflight: activity('observePreflight', async (input: FailbackInput, work): Promise<PreflightAnswer> => {
    const { policy } = input;
    const sourceSite = sites.source(input.source.site);
    const targetSite = sites.target(input.target.site);
    const source = await look('source', input.source.path, work, () =>
      sourceSite.observeMachine(input.source.path, work),
    );
    const target = await look('target', input.target.path, work, () =>
      targetSite.observeMachine(input.target.path, work),
    );
    const asked = { path: input.source.path, guestAgentWithinSeconds: policy.guestAgentWithinSeconds };
    const sides = { source: source.seen?.power, target: target.seen?.power };
    const ofTarget = await askTarget(targetSite, input, source.seen, work);
    const ofMover = (check: Check): boolean => check.subject === input.mover.path;
    const checks = [
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
    const pairing = pairDisks(source.seen, target.seen, policy.write, input.disks);
    checks.push(...sparingTarget(pairing.checks, sides), ...rereadCheck(input, pairing.pairs));
    return { checks, source: source.seen, target: target.seen, pairs: pairing.pairs };
  }),
});

/** What the policy `reread` costs is told before the start, not found out in the outage. */
function rereadCheck({ policy, target }: FailbackInput, pairs: readonly DiskPair[]): Check[] {
  if (!policy.reread || pairs.length === 0) return [];
  const { bytes, seconds } = rereadCost(pairs.reduce((sum, pair) => sum + pair.source.sizeBytes, 0));
  const size = `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  return [
    {
      id: 'reread-in-outage',
      verdict: 'warn',
      subject: target.path,
      seen: `the policy reads all ${size} of the target again while neither side serves: about ${seconds} s more of outage, at an assumed 400 MiB/s`,
      remedy:
        policy.sync === 'before' && policy.scrubEverySeconds > 0
          ? 'Leave reread off to save that time: the scrub reads everything again while the source serves.'
          : 'Leave reread off to save that time; every block is read back when it is written in any case.',
    },
  ];
}

const askTarget = (
  site: TargetSite,
  input: FailbackInput,
  source: SourceMachine | undefined,
  work: ReportingWork,
): Promise<Check[]> =>
  ask('target', input.target.path, work, () =>
    site.preflight(
      {
        path: input.target.path,
        mover: input.mover.path,
        write: input.policy.write,
        diskSizesBytes: (source?.disks ?? []).map((disk) => disk.sizeBytes),
        ...(source && { source: { ...source.hardware, nics: source.nics.length } }),
      },
      work,
    ),
  );

interface Look<T> {
  readonly seen?: T;
  readonly checks: Check[];
}

async function look<T>(side: string, path: string, work: ReportingWork, see: () => Promise<T>): Promise<Look<T>> {
  try {
    return { seen: await see(), checks: [] };
  } catch (error) {
    return { checks: [asCheck(side, path, work, error)] };
  }
}

/** Who asks: whether it may be asked again, and whether it still wants to know. */
type Asking = Pick<ReportingWork, 'signal' | 'attempt'>;

export async function ask(side: string, path: string, work: Asking, see: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await see();
  } catch (error) {
    return [asCheck(side, path, work, error)];
  }
}

/** Only what the world itself says becomes a check; a fault of ours (or a cancel) stays an error. */
function asCheck(side: string, path: string, { signal, attempt }: Asking, error: unknown): Check {
  signal.throwIfAborted();
  if (!(error instanceof Failure) || error.kind === 'Defect') throw error;
  if (error.busy && attempt < lastPatientAttempt) throw error;
  const again = `It said nothing else ${attempt} times in a row: find out what keeps it busy, and ask again later.`;
  const remedy = error.busy ? again : error.hint;
  return { id: `${side}-observed`, verdict: 'refuse', subject: path, seen: error.message, remedy };
}
