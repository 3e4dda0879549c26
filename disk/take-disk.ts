/**
 * How an attempt comes by a disk's record: a full copy begins it anew, everything else goes on with it.
 * Rule: S8, the epoch grows with every attempt and is written to the record first, then to the marker on the disk.
 * Also before that the attempt must have leave to write (`assure`): what a late one finds sealed it may not take for its own.
 * Never forgets an epoch it has seen, and never goes on with digests this mover cannot compute.
 */
import { randomUUID } from 'node:crypto';
import { refused } from '../model/failure.ts';
import { type Digest, digestNamed } from './digest.ts';
import { type DiskTask, type Grip, type HeldDisk, hold, ownMarker } from './held-disk.ts';
import { closeView, Ledger, type LedgerView } from './ledger.ts';
import type { PointReader } from './point-reader.ts';
import type { DiskState } from './records.ts';

/** An exported disk may carry a footer of one sector, which is no part of the disk. */
export function refuseOtherSize(source: PointReader, { sizeBytes, machine, disk }: DiskTask): void {
  if (source.sizeBytes === sizeBytes) return;
  throw refused({
    op: 'source.size',
    subject: `${machine}/${disk}`,
    message: `the point has ${source.sizeBytes} bytes, the disk was recorded with ${sizeBytes}`,
    hint: 'The disk was resized, or a container footer is counted; look at the source disk, then begin a new run.',
  });
}

const fullPhase = { phase: 'opening', point: null, rounds: 0, round: null, unproven: [] } as const;
const nothingYet = { lastProof: null, sealing: null, sealProof: null, brokenBecause: null } as const;

/** S002-27: a full copy repairs a disk another run left open; its record begins anew, its epochs go on. */
export async function takeOver(grip: Grip): Promise<HeldDisk> {
  await grip.assure();
  const { run, machine, disk, sizeBytes, uses: seals = 0, anew = 0 } = grip.options;
  const seen = [grip.view.known ? grip.view.state.epoch : 0, grip.marker?.epoch ?? 0];
  const digest = await digestAvailable(grip);
  const number = grip.view.known ? grip.view.checkpoint.number : grip.view.number;
  // L5: it is used up, and its table of a large disk takes as much memory as the new one.
  await closeView(grip.view);
  const id = randomUUID().replaceAll('-', '');
  const facts = { id, machine, disk, run, sizeBytes, algorithm: digest.name, direct: grip.target.direct };
  const blank = await grip.target.isBlank();
  const state: DiskState = { ...facts, blank, seals, anew, epoch: Math.max(...seen) + 1, ...fullPhase, ...nothingYet };
  const ledger = await Ledger.create(grip.folder, grip.subject, number, state, grip.geometry.blocks);
  return hold(grip, ledger, digest);
}

/** Goes on with the disk's record under a new epoch. S8: record first, then marker, then bytes. */
export async function goOn<Task extends DiskTask>(grip: Grip<Task>, view: LedgerView): Promise<HeldDisk<Task>> {
  if (!view.known) throw new TypeError('only a known record can go on');
  await grip.assure();
  const digest = await digestAvailable(grip, view.state);
  const ledger = await Ledger.resume(grip.folder, grip.subject, view);
  try {
    const epoch = Math.max(ledger.state.epoch, grip.marker?.epoch ?? 0) + 1;
    await ledger.append({ t: 'attempt', epoch, direct: grip.target.direct });
    const { id } = ledger.state;
    if (grip.marker !== undefined) await grip.withholding.writeMarker(ownMarker(grip.options, id, epoch), grip.signal);
    return hold(grip, ledger, digest);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** The digest of the record, or for a new record the best there is. Throws `Refused` when this mover lacks it. */
export async function digestAvailable(grip: Grip<DiskTask>, state?: DiskState): Promise<Digest> {
  const digest = await digestNamed(state?.algorithm);
  if (digest !== undefined) return digest;
  throw refused({
    op: 'digest',
    subject: grip.subject,
    message: `the record of this disk uses ${state?.algorithm}, which this mover cannot compute`,
    hint: 'Install @napi-rs/blake-hash with its part for this platform, or copy the disk in full in a new run.',
  });
}
