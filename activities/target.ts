/**
 * The target's disks: opened for the mover, returned to their machine, or given up.
 * Rule (S4): an open disk hangs on the mover and on nothing else; the site looks before and after each step.
 */
import { type NewMachine, wayOf } from '../model/creation.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk, SourceMachine, TargetMachine } from '../model/machine.ts';
import type { Work } from '../sites/source.ts';
import type { ReturnRequest, TargetRequest } from '../sites/target.ts';
import { activity } from './attempt.ts';
import { assertSourceOff, type TargetStart } from './power.ts';
import type { Sites } from './preflight.ts';
import { assertSourceThere } from './source-there.ts';
import { tellingUntouched } from './untouched.ts';

export interface TargetInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly pairs: readonly DiskPair[];
  /** At an alternate location: the machine that is made there. */
  readonly creation?: NewMachine;
  /** The disks as they were opened last; absent before they were. */
  readonly open?: readonly OpenDisk[];
}

export interface ReopenInput extends TargetInput {
  /** How often the target had the disks in use in this run, this time included. */
  readonly uses: number;
  /** The return of before was never seen done, and nothing was started. */
  readonly halfWay?: boolean;
}

/** `sealed`: sealing was begun, so that the disks may be the last copy of the machine (S5). */
export interface LeavingInput extends TargetInput {
  readonly sealed?: true;
}

/** `found`: the source as it was found. `sealed`: the disks may be whole, so the target may live from them. */
export interface AbandonInput extends TargetInput {
  readonly found: SourceMachine;
  readonly sealed: boolean;
}

export type ReturnInput = TargetInput & TargetStart;

export const targetRequest = ({ failback, run, pairs, creation, open }: TargetInput): TargetRequest => ({
  path: failback.target.path,
  run,
  machine: failback.machine,
  write: wayOf(failback),
  pairs,
  mover: failback.mover.path,
  ...(creation ? { machineToMake: creation } : {}),
  ...(open ? { open } : {}),
  ...(failback.discards === undefined ? {} : { discards: failback.discards }),
});

/** Waits for all of them to end, however they do, and only then throws the first failure in this order. */
async function allEnded(...steps: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

const returnRequest = (input: ReturnInput): ReturnRequest => ({ ...targetRequest(input), uses: input.uses ?? 0 });

export const createTargetActivities = (sites: Sites) => {
  const site = (input: TargetInput) => sites.target(input.failback.target.site);
  const recordIfSealed = async (input: TargetInput & { readonly sealed?: boolean }, work: Work): Promise<void> => {
    if (input.sealed) await site(input).ensureSealedRecorded(targetRequest(input), work);
  };
  return {
    ensureDisksOpen: activity(
      'ensureDisksOpen',
      (input: TargetInput, work): Promise<OpenDisk[]> => site(input).ensureDisksOpen(targetRequest(input), work),
    ),
    /**
     * Off the mover, sealed, and not yet back on their machine. A source that was started again stops it here already (S1):
     * while the disks hang on the mover the whole run can still be taken back without loss.
     */
    ensureDisksReleased: activity('ensureDisksReleased', async (input: ReturnInput, work): Promise<void> => {
      // S5: whatever the look finds, which refuses when the source is gone: then nobody would try the record again, so what
      // fails there is thrown first. Beside it, because the outage lasts.
      const recorded = site(input).ensureSealedRecorded(returnRequest(input), work);
      await allEnded(recorded, assertSourceOff(sites, input, 'the disks go back', work));
      await site(input).ensureDisksReleased(returnRequest(input), work);
    }),
    /**
     * Into the slots of their machine. The source is looked at again, because a person may have answered in between. A failure
     * before anything was changed says so.
     */
    ensureDisksReturned: activity(
      'ensureDisksReturned',
      (input: ReturnInput, attempt): Promise<TargetMachine> =>
        tellingUntouched(attempt, async (work) => {
          await assertSourceOff(sites, input, 'the disks go back', work);
          return await site(input).ensureDisksReturned(returnRequest(input), work);
        }),
    ),
    /** Another point was chosen: off the machine, which is off, and onto the mover that wrote them. */
    ensureDisksReopened: activity(
      'ensureDisksReopened',
      (input: ReopenInput, work): Promise<OpenDisk[]> =>
        site(input).ensureDisksReopened(
          { ...targetRequest(input), uses: input.uses, halfWay: input.halfWay === true },
          work,
        ),
    ),
    /**
     * The mover has none of the disks any more; another one may get them (S8). Sealed ones are recorded beside it, on another
     * machine: neither waits for the other, so that what holds up the one is no reason for disks that could boot to stay on
     * the mover (S4). Unplugging destroys nothing; what might (S5) comes later and records anew, also where this died half-way.
     */
    ensureMoverLeft: activity('ensureMoverLeft', async (input: LeavingInput, work): Promise<void> => {
      const recorded = recordIfSealed(input, work);
      await allEnded(site(input).ensureMoverLeft(targetRequest(input), work), recorded);
    }),
    /**
     * S5: only while the source is there are disks deleted that the run made, or originals, which are never deleted, taken
     * off a machine that may live from them.
     */
    ensureDisksAbandoned: activity('ensureDisksAbandoned', async (input: AbandonInput, work): Promise<string[]> => {
      const stays = (input.open ?? []).map(({ file }) => file);
      const step = wayOf(input.failback) === 'in-place' ? 'take-off' : 'delete';
      if (step === 'delete' || input.sealed) {
        const recorded = recordIfSealed(input, work);
        const looked = assertSourceThere(sites, { ...input, step, stays }, work);
        const [, there] = await Promise.allSettled([recorded, looked]);
        // While the source is there the disks are not the last copy, and a machine that is not found keeps nobody waiting.
        if (there.status === 'rejected') await allEnded(recorded, looked);
      }
      return await site(input).ensureDisksAbandoned(targetRequest(input), work);
    }),
    /** After commit: our marks go; answers what stays on purpose. */
    ensureTargetFinished: activity(
      'ensureTargetFinished',
      (input: TargetInput, work): Promise<string[]> => site(input).ensureFinished(targetRequest(input), work),
    ),
  };
};
