/**
 * Sealing: each target disk gets its boot sectors back, and the evidence of all of them is what a commit will name.
 * Rule (S3, S9): a disk that is no longer what was proven is never sealed; it is copied in full first, and the record says
 * whether every byte was read again after it was first written. S4: a sealed disk could boot the mover it hangs on, so it is
 * unplugged before the source serves again.
 */
import { ActivityFailure } from '@temporalio/workflow';
import { evidenceOfDisks } from '../model/evidence.ts';
import { moverStepId } from '../model/failback-input.ts';
import type { DiskKey, OpenDisk, RecoveryPoint, SealProof } from '../model/machine.ts';
import { sealedText } from '../model/read-back.ts';
import { rereadInFull, type ScrubReport } from '../model/scrub.ts';
import { copiedAgain, recordCopiedAgain } from './copied-again.ts';
import { type Journey, ofTarget, type Way } from './departure.ts';
import { together } from './sync-round.ts';
import { lineageBroke, troubleOf } from './trouble.ts';
import { briefVerbs, moverVerbs, summary } from './verbs.ts';

/** Disks that hang on the mover, proven at a point. */
export interface Sealable {
  readonly open: readonly OpenDisk[];
  /** What they hold. */
  readonly held: RecoveryPoint;
  readonly scrubs: readonly ScrubReport[];
  /** How often the target had them in use in this run. */
  readonly uses: number;
  /** How often one of them was found to be elsewhere than it was opened. */
  readonly anew: number;
  /** Those of which every block was read again since that use. */
  readonly lookedAt: readonly DiskKey[];
}

interface Sealed {
  readonly seal: SealProof;
  readonly copiedAgain: boolean;
}

/**
 * S5: what cannot be unplugged soon does not keep the source from its start; a later step of the undo insists on it. From here
 * on the disks may be the last copy, which the way back records before anything else.
 */
export function registerSealUndo(journey: Journey, way: Way): void {
  const { teller, course, input } = journey;
  teller.find({ sealing: true });
  course.beforehand('sealed disks', async () => {
    try {
      await briefVerbs(input).ensureMoverLeft.executeWithOptions(
        summary(`Undo: take the sealed disks off ${input.mover.name}`),
        [{ ...ofTarget(journey, way), sealed: true }],
      );
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const { message } = troubleOf(error, '');
      const what =
        'the source starts although sealed disks, which could boot, may still hang on the mover, or are not recorded as sealed on their machine; look at the mover before you restart it';
      teller.record('sealed-disks-held', what, { mover: input.mover.name, because: message });
    }
  });
}

export async function sealTheDisks(journey: Journey, proven: Sealable): Promise<SealProof[]> {
  const { input, teller, course } = journey;
  const { open, scrubs, lookedAt } = proven;
  const sealed = await course.step(() => together(open.map((disk) => () => sealOne(journey, disk, proven))));
  const seals = sealed.map(({ seal }) => seal);
  const evidence = evidenceOfDisks(seals);
  for (const { seal, copiedAgain } of sealed) {
    const behind = lookedAt.includes(seal.disk) || rereadInFull(scrubs.find(({ disk }) => disk === seal.disk));
    teller.record(`seal/${seal.disk}`, sealedText(seal), {
      root: seal.root,
      algorithm: seal.algorithm,
      sizeBytes: seal.sizeBytes,
      // S2: what a commit can know of it: whether every byte was read once more after it was first proven.
      rereadInFull: input.policy.reread || (behind && !copiedAgain),
      ...(copiedAgain ? { copiedAgain } : {}),
      ...(seal.cached ? { readBackThroughCache: true } : {}),
    });
  }
  teller.find({ seals });
  teller.amend((story) => ({ ...story, evidence }));
  return seals;
}

async function sealOne(
  { input, run, teller }: Journey,
  disk: OpenDisk,
  { held, uses, anew }: Sealable,
): Promise<Sealed> {
  const mover = moverVerbs(input);
  const of = held.disks.find((candidate) => candidate.disk === disk.disk);
  if (!of) throw new TypeError(`the final recovery point does not hold disk ${disk.disk}`);
  const work = {
    machine: input.machine,
    run,
    sourceSite: input.source.site,
    disk,
    point: of,
    urgent: true,
    handovers: input.mover.handovers ?? 0,
    ...{ uses, anew },
  };
  // Names instead of numbers, so that an operator can pause this very step: docs/operate.md.
  const say = (what: string, step: 'seal' | 'transfer') => ({
    ...summary(what),
    activityId: moverStepId(step, disk.disk, input.mover),
    priority: { priorityKey: 1 },
  });
  const seal = (): Promise<SealProof> =>
    mover.sealDisk.executeWithOptions(say(`Seal ${disk.disk}`, 'seal'), [{ ...work, reread: input.policy.reread }]);
  try {
    return { seal: await seal(), copiedAgain: false };
  } catch (error) {
    // What a seal itself finds calls an operator first. When it is tried again, or when the finding was a scrub's at the
    // last moment, the disk's record says that it is damaged, and only the whole disk mends that.
    if (!lineageBroke(error)) throw error;
    recordCopiedAgain(teller, copiedAgain(disk.disk, error));
    await mover.transferDisk.executeWithOptions(say(`${disk.disk}: whole disk again, damaged`, 'transfer'), [work]);
    return { seal: await seal(), copiedAgain: true };
  }
}
