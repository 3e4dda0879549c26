/**
 * Looks at a mover that a machine is to be given while it is under way, or that is to have its disks once more.
 * Rule: what a person typed counts only as far as this worker's own inventory says the same; a world that cannot be asked
 * is a refusal, so that whoever sends the machine there hears it at once. Changes nothing.
 */
import { blocking, type Check, leftByARun } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { MoverPlace, RecoveryPoint, SourceSystem } from '../model/machine.ts';
import type { Work } from '../sites/source.ts';
import { ask, look } from './asking.ts';
import { activity, type ReportingWork } from './attempt.ts';
import { assertSourceOff, type TargetStart } from './power.ts';
import type { Sites } from './preflight.ts';
import { type ReopenInput, targetRequest } from './target.ts';

export interface MoverLook {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly mover: MoverPlace;
  /** Of the disks it is to get; empty while they are not known. */
  readonly sizesBytes: readonly number[];
}

export interface MoverLookAnswer {
  /** Those that refuse it; empty when its place is one from which it can carry the machine. */
  readonly checks: readonly Check[];
  /** Of the control worker that answered. */
  readonly version: string;
  /** What the source runs, where the policy makes it count. */
  readonly os?: SourceSystem;
}

export interface ChangeLook extends ReopenInput, TargetStart {
  readonly uses: number;
  /** What would come home. */
  readonly wished: RecoveryPoint;
}

export const createMoverLookActivities = (sites: Sites) => ({
  observeMover: activity('observeMover', async (input: MoverLook, work): Promise<MoverLookAnswer> => {
    const checks = await refusals(sites, input, work);
    const os = await systemOf(sites, input, work);
    return { checks, version: sites.version, ...(os ? { os } : {}) };
  }),

  /**
   * Before another point is taken home: what would stop it once the machine is off, or keep it from starting afterwards (S1),
   * asked while it still runs.
   */
  observeReopening: activity('observeReopening', async (input: ChangeLook, work): Promise<MoverLookAnswer> => {
    const { failback, final, wished } = input;
    const { source, target } = failback;
    const asked = { ...targetRequest(input), uses: input.uses, halfWay: input.halfWay === true };
    const atHome = await ask('target', target.path, work, async () => {
      await sites.target(target.site).observeReopening(asked, work);
      return [];
    });
    const inSource = await ask('source', source.path, work, async () => {
      await assertSourceOff(sites, input, 'another point', work);
      await sites.source(source.site).observePoints([...final.disks, ...wished.disks], work);
      return [];
    });
    const checks = [...inSource, ...atHome];
    const os = await systemOf(sites, input, work);
    return { checks, version: sites.version, ...(os ? { os } : {}) };
  }),
});

/** Only where the policy wants a mover of the same system; one that cannot be seen is not known. */
async function systemOf(
  sites: Sites,
  { failback }: Pick<MoverLook, 'failback'>,
  work: ReportingWork,
): Promise<SourceSystem | undefined> {
  if (failback.policy.moverSystem !== 'same') return undefined;
  const { site, path } = failback.source;
  const { seen } = await look('source', path, work, () => sites.source(site).observeMachine(path, work));
  return seen?.os;
}

export async function refusals(
  sites: Sites,
  input: MoverLook,
  work: Work & Pick<ReportingWork, 'attempt'>,
): Promise<Check[]> {
  const { failback, run, mover, sizesBytes } = input;
  const stranger = strangerCheck(sites, input);
  if (stranger) return [stranger];
  const { site, path } = failback.target;
  const { create } = failback;
  if (create) {
    const look = { mover: mover.path, datastores: [create.datastore], diskSizesBytes: sizesBytes };
    return blocking(await ask('target', path, work, () => sites.target(site).preflightMover(look, work)));
  }
  // Whichever way it writes, its new disks are there already: the mover is asked for slots, not the datastore for space.
  const request = { path, run, mover: mover.path, write: 'in-place', diskSizesBytes: sizesBytes } as const;
  const checks = await ask('target', path, work, () => sites.target(site).preflight(request, work));
  // What another run left on the machine is none of the mover's: opening the disks refuses it.
  return blocking(checks.filter(({ id }) => id !== leftByARun));
}

function strangerCheck(sites: Sites, { failback, mover }: MoverLook): Check | undefined {
  const known = sites.mover(mover.name);
  const refuse = (seen: string, remedy: string): Check => ({
    id: 'mover-known',
    verdict: 'refuse',
    subject: mover.name,
    seen,
    remedy,
  });
  const sameFile = 'Give the control workers and the command line the same homeward.yaml.';
  if (!known) return refuse(`the control worker's inventory has no mover called "${mover.name}"`, sameFile);
  if (known.site !== failback.target.site)
    return refuse(
      `${mover.name} stands at ${known.site}, the disks lie at ${failback.target.site}`,
      `Name a mover of ${failback.target.site}.`,
    );
  if (known.path === mover.path) return undefined;
  return refuse(`the control worker's inventory has ${mover.name} at ${known.path}, not at ${mover.path}`, sameFile);
}
