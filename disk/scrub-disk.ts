/**
 * The verb "scrub": reads a whole open disk again in the background, while rounds go on, and finds what changed behind us.
 * Rule: it gives way to everyone within one block and goes on where it was, also after a kill; a block that a round wrote
 * meanwhile was proven then. S3: a finding ends the disk's lineage; only a full copy leads out of it, because whatever
 * changed one block may have changed those read before it. Never writes to the disk, so it needs no epoch of its own.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { corrupt, type Failure, fenced, transient } from '../model/failure.ts';
import type { ScrubProof } from '../model/scrub.ts';
import { untilFree } from './attempts.ts';
import { type DiskTask, type Grip, withSpareGrip } from './held-disk.ts';
import { Ledger, type LedgerView } from './ledger.ts';
import { distrust, refuseForeign } from './lineage.ts';
import { damageIn, type Proven, scrubbedBytes } from './scrub.ts';
import { readScrubPlace, type ScrubPlace, writeScrubPlace } from './scrub-place.ts';
import { stateFolder } from './state-folder.ts';
import { digestAvailable } from './take-disk.ts';

export interface ScrubOptions extends DiskTask {
  /** The last pass the caller knows of. One that was done since is answered at once: the answer may have been lost. */
  readonly after: number;
  /** How long to stand aside after a block that took `tookMs`, in milliseconds; low priority is made of it. */
  restMs?(tookMs: number): number;
}

/** A kill costs at most so many blocks read again (256 MiB, about a second); a write of the place costs three flushes. */
const placeEveryBlocks = 64;

/** Answers when no attempt of this mover is on the disk. */
export const untilDiskFree = ({ stateDir, machine, disk, signal }: ScrubOptions): Promise<void> =>
  untilFree(stateFolder(stateDir, machine, disk).path, signal);

/**
 * Goes on with the pass, or begins one, until its end; undefined when it had to give way to another attempt. Throws
 * `Corrupt` with op `scrub` at a block that is not what was proven, with op `lineage` or `fence` when record and disk do
 * not fit; `Transient` while an interrupted round waits to go on; `Fenced` when the disk is no longer open.
 */
export async function scrubDisk(options: ScrubOptions): Promise<ScrubProof | undefined> {
  return withSpareGrip(options, async (grip) => {
    const view = openView(grip);
    const { id } = view.state;
    const before = await readScrubPlace(grip.folder.scrub, grip.subject);
    const known = before?.id === id ? before : undefined;
    if (known?.endedAt !== undefined && known.pass > options.after) return proofOf(options.disk, known, known.endedAt);
    const pass = Math.max(options.after, before?.pass ?? 0) + 1;
    const fresh: ScrubPlace = { id, pass, next: 0, bytes: 0, startedAt: new Date().toISOString() };
    const place = known !== undefined && known.endedAt === undefined ? known : fresh;
    const digest = await digestAvailable(grip, view.state);
    grip.meter.enter('scrubbing', options.sizeBytes);
    const bytes = await readOn(grip, { ...grip, digest, table: view.checkpoint.table }, place, view);
    const done = { ...place, next: grip.geometry.blocks, bytes, endedAt: new Date().toISOString() };
    await writeScrubPlace(grip.folder.scrub, grip.subject, done);
    return proofOf(options.disk, done, done.endedAt);
  });
}

const proofOf = (disk: string, { pass, bytes, startedAt }: ScrubPlace, endedAt: string): ScrubProof => ({
  ...{ disk, pass, bytes, startedAt, endedAt },
});

/** The record of a disk that is open, current at a point, and the one our marker is on. */
function openView({ view, marker, options, subject }: Grip<ScrubOptions>): LedgerView & { known: true } {
  refuseForeign(options, marker, subject);
  const hint = 'The next round copies the disk in full.';
  if (!view.known) throw corrupt({ op: 'lineage', subject, message: view.because, hint });
  const { phase, run, round, point } = view.state;
  if (run === options.run && (phase === 'sealing' || phase === 'sealed')) {
    const message = `the disk is ${phase}; there is nothing left to scrub`;
    throw fenced({ op: 'scrub', subject, message, hint: 'Nothing to do.' });
  }
  // A finding whose telling was lost (the mover died right after it was recorded) is told again.
  if (run === options.run && phase === 'broken') {
    throw corrupt({ op: 'scrub', subject, message: view.state.brokenBecause ?? 'an earlier proof failed', hint });
  }
  const doubt = distrust(view.state, marker, options);
  if (doubt !== undefined) throw corrupt({ op: 'lineage', subject, message: doubt, hint });
  if (phase === 'open' && round === null && point !== null) return view;
  // What an interrupted round left half written is its own to mend.
  const message = 'a round of this disk was interrupted and has not gone on yet';
  throw transient({ op: 'scrub', subject, message, hint: 'Wait; the scrub goes on after the round.' });
}

/** Reads from where the pass is to the end of the disk. Answers the bytes the whole pass has read. */
async function readOn(
  grip: Grip<ScrubOptions>,
  proven: Proven,
  place: ScrubPlace,
  view: LedgerView & { known: true },
): Promise<number> {
  const { target, geometry, signal, meter, options, subject, folder } = grip;
  let { next, bytes } = place;
  let kept = next;
  const keep = async (): Promise<void> => {
    if (next > kept) await writeScrubPlace(folder.scrub, subject, { ...place, next, bytes });
    kept = next;
  };
  meter.done(bytes, false);
  try {
    await target.withFresh(async (reader) => {
      while (next < geometry.blocks) {
        signal.throwIfAborted();
        if (next - kept >= placeEveryBlocks) await keep();
        const began = performance.now();
        const block = next;
        const length = scrubbedBytes(geometry, block);
        const damage = length === 0 ? undefined : await damageIn(proven, block, reader);
        if (damage !== undefined) throw await recorded(grip, view, damage);
        // Both before the rest, which may be cut off: a block that counts is a block that is behind us.
        next++;
        bytes += length;
        if (length === 0) continue;
        meter.done(length);
        const restMs = options.restMs?.(performance.now() - began) ?? 0;
        if (restMs > 0) await pause(restMs, undefined, { signal });
      }
    });
  } catch (error) {
    // A place that cannot be kept costs time; it must not hide why the pass ended.
    await keep().catch(() => undefined);
    throw error;
  }
  return bytes;
}

/** S3: in the record before it is told. The marker is asked first: a newer attempt elsewhere may have written the block. */
async function recorded(
  { withholding, marker, folder, subject }: Grip<ScrubOptions>,
  view: LedgerView & { known: true },
  damage: Failure,
): Promise<Failure> {
  if (marker !== undefined) await withholding.check(marker);
  const ledger = await Ledger.resume(folder, subject, view);
  try {
    await ledger.append({ t: 'broken', because: damage.message });
  } finally {
    await ledger.close();
  }
  return damage;
}
