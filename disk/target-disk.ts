/**
 * The verb "transfer": makes a target disk equal to a recovery point, by a full map or by a delta, provably.
 * Rule: first the lineage (S9), then the open marker (S4), then bytes, each proven (S3). Safe to call again with the
 * same run, point, base, uses and anew at any time: it goes on where it was (L2). Never closes the source; the caller opened it.
 */
import { corrupt } from '../model/failure.ts';
import type { TransferProof } from '../model/machine.ts';
import { joinGapAt, widestJoinBytes } from './block-plan.ts';
import { copyRound } from './copy-round.ts';
import { collectChanges } from './extents.ts';
import { type DiskWork, type HeldDisk, withGrip } from './held-disk.ts';
import { decideTransfer } from './lineage.ts';
import type { Changes } from './range-list.ts';
import type { DiskState } from './records.ts';
import { goOn, refuseOtherSize, takeOver } from './take-disk.ts';

export { tableBytes } from './digest-table.ts';
export { type ForgetOptions, forgetDisk } from './forget-disk.ts';
export type { TargetDiskOptions } from './held-disk.ts';
export { type DiskObservation, observeDisk, observeSeal } from './observe-disk.ts';
export { type ScrubOptions, scrubDisk, untilDiskFree } from './scrub-disk.ts';
export { type SealOptions, sealDisk } from './seal.ts';

export interface TransferOptions extends DiskWork {
  /** The point the changes were computed from; without it the source's list is a whole map. */
  readonly base?: string;
  /** Called where nothing that an attempt before this one brought is known to be there. */
  beginsAnew?(): void;
}

/**
 * Brings the changes onto the disk. Throws `Corrupt` with op `lineage` when a delta does not fit (do a full copy
 * then), with op `proof` when a read-back differs, `Fenced` when a newer attempt holds the disk, `Transient` while
 * another process does, `Refused` for sizes, rights, space and I/O errors; when `signal` fired, its own reason.
 */
export async function transferDisk(options: TransferOptions): Promise<TransferProof> {
  const startedAt = performance.now();
  refuseOtherSize(options.source, options);
  return withGrip(options, async (grip) => {
    const { run, machine, disk, sizeBytes, point, base, handovers, uses, anew } = options;
    const wish = { run, machine, disk, sizeBytes, point, base, handovers, uses, anew };
    const decision = decideTransfer(grip.view, grip.marker, wish, grip.subject);
    if (decision === 'repeat' && grip.view.known && grip.view.state.lastProof !== null)
      return grip.view.state.lastProof;
    if (decision === 'take-over') options.beginsAnew?.();
    const held = decision === 'take-over' ? await takeOver(grip) : await goOn(grip, grip.view);
    try {
      // S8, S4: in the record first, then the marker and the withheld regions, and only then bytes.
      if (decision === 'reopen' && base !== undefined) await held.ledger.append({ t: 'reopening', point, base });
      if (held.ledger.state.phase !== 'open') await openDisk(held);
      if (decision === 'begin' || decision === 'take-over')
        await held.ledger.append({ t: 'round', point, base: base ?? null });
      const changes = await listChanges(held, base === undefined);
      const resumedBytes = await copyRound(held, changes, base === undefined);
      const durationMs = Math.round(performance.now() - startedAt);
      const proof = proofOf(held.ledger.state, options, resumedBytes, durationMs);
      await held.leafFile.flush();
      await held.ledger.append({ t: 'round-done', proof });
      await held.ledger.rest();
      held.meter.enter('done');
      return proof;
    } finally {
      await held.ledger.close();
    }
  });
}

/**
 * S4: both regions are withheld, on the medium and read back, before any data byte. S10: a file system that says that not even
 * they are allocated does not count (FUSE, some NFS), so that it never knew whether the target was blank.
 */
async function openDisk({ memory, withholding, own, ledger, target, signal }: HeldDisk): Promise<void> {
  await memory.toRead((space) => withholding.open(own, space, signal));
  const blank = ledger.state.blank === true && !(await target.isBlank());
  await ledger.append({ t: 'opened', blank });
}

/** Reads the list; a resumed round must find the list its proofs were made for. */
async function listChanges(held: HeldDisk, whole: boolean): Promise<Changes> {
  const { options, subject, ledger, signal, meter } = held;
  meter.enter('listing');
  const extents = options.source.changes(signal);
  const { sizeBytes } = options;
  // L5: a map of all the disk, which may be copied for days, is kept short and its blocks in few reads.
  const joinGapBytes = whole ? widestJoinBytes : joinGapAt(options.limitedTo?.());
  const changes = await collectChanges(extents, {
    ...{ sizeBytes, subject, whole, joinGapBytes },
    long: () => options.long?.(),
  });
  signal.throwIfAborted();
  const { fingerprint: plan, changedBytes } = changes;
  meter.listedBytes = changedBytes;
  options.listed?.(changes.data.heldBytes + changes.zero.heldBytes);
  const before = ledger.state.round?.plan ?? null;
  if (before !== null && before !== plan && !whole) {
    const because = 'the source names other changes between the same two points than before';
    await ledger.append({ t: 'broken', because });
    const hint = 'Copy the disk in full: blocks of the earlier list may be half written.';
    throw corrupt({ op: 'changes', subject, message: because, hint });
  }
  if (before !== plan) await ledger.append({ t: 'plan', plan, changedBytes });
  return changes;
}

function proofOf(state: DiskState, options: TransferOptions, resumedBytes: number, durationMs: number): TransferProof {
  const { disk, point, base } = options;
  const counted = state.round ?? { changedBytes: 0, copiedBytes: 0, zeroedBytes: 0, provenBytes: 0 };
  const { changedBytes, copiedBytes, zeroedBytes, provenBytes } = counted;
  const used = state.round?.usedBytes === undefined ? {} : { usedBytes: state.round.usedBytes };
  const readBack = state.direct ? {} : { cached: true as const };
  const figures = {
    changedBytes,
    copiedBytes,
    zeroedBytes,
    provenBytes,
    ...used,
    ...readBack,
    resumedBytes,
    durationMs,
  };
  return base === undefined
    ? { disk, point, mode: 'full', ...figures }
    : { disk, point, base, mode: 'delta', ...figures };
}
