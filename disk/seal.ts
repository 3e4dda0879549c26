/**
 * The verb "seal": gives an open disk its withheld regions back and with them the ability to boot.
 * Rule: S4, the tail first, then the head, the partition header, and last of all the boot sector, alone; each step
 * flushed and read back before the next. A crash leaves the disk open or sealed; a failure leaves it open, and once the
 * last look has proven it only the record may lack, which the next try writes. Never seals an unproven block (S3), and never
 * writes to a disk that it does not know, or that is another attempt's by now (S8).
 */
import { corrupt, Failure } from '../model/failure.ts';
import type { SealProof } from '../model/machine.ts';
import { untilAborted } from './attempts.ts';
import type { Lent } from './block-pool.ts';
import { hostFailure } from './failure.ts';
import { blankWithheld, blockRange, type Range, withheldBlocks, withheldBytes, writableRange } from './geometry.ts';
import { type HeldDisk as Held, type PointWork, withGrip } from './held-disk.ts';
import { leafDigests } from './leaves.ts';
import { decideSeal } from './lineage.ts';
import { decodeMarker } from './open-marker.ts';
import type { PointReader } from './point-reader.ts';
import { readBackPieces } from './read-back.ts';
import { scrubBlocks } from './scrub.ts';
import { foldRecord, fromDurableRecord, recordSeal, type Sealed, type SealedBlocks, sealedOf } from './seal-record.ts';
import { goOn, refuseOtherSize } from './take-disk.ts';

export interface SealOptions extends PointWork {
  /** The point, asked for once the disk is held and open: a grant that fails finds nothing given back (S4). The seal closes it. */
  openSource(signal: AbortSignal): Promise<PointReader>;
  /** Re-reads the whole target against the recorded digests before the boot sector goes back. */
  readonly reread?: boolean;
}

type HeldDisk = Held<SealOptions>;

/** The withheld bytes of the point, as they must be on the sealed disk. */
interface Withheld {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/**
 * Seals the disk at the point it is current at. Safe to call again: a sealed disk answers with its proof, a seal cut off in the
 * middle goes on. Errors as in `transferDisk`; on `Corrupt` the disk is open, or the hint says that it may be able to boot.
 */
export async function sealDisk(options: SealOptions): Promise<SealProof> {
  return withGrip(options, async (grip) => {
    const { run, machine, disk, sizeBytes, point, anew } = options;
    const wish = { run, machine, disk, sizeBytes, point, base: undefined, anew };
    const state = decideSeal(grip.view, grip.marker, wish, grip.subject);
    if (state.phase === 'sealed' && state.sealProof !== null) return await fromDurableRecord(grip, state.sealProof);
    const held = await goOn(grip, grip.view);
    try {
      held.meter.enter('sealing', sizeBytes);
      if (state.phase === 'sealing' && held.marker !== undefined) await withholdAgain(held);
      refuseUnproven(held);
      const reread = async (): Promise<void> => (options.reread ? scrubBlocks(held) : undefined);
      const source = await options.openSource(held.signal);
      try {
        refuseOtherSize(source, options);
        if (grip.marker !== undefined) await recordingDamage(held, reread);
        return await held.memory.toFetch(source, held.signal, async (lent) => {
          const withheld = await readWithheld(held, source, lent);
          const sealed = await recordingDamage(held, () => giveBack(held, withheld, reread));
          const proof = await recordSeal(held, sealed, options.reread);
          await foldRecord(held);
          held.meter.enter('done');
          return proof;
        });
      } finally {
        await source.close();
      }
    } finally {
      await held.ledger.close();
    }
  });
}

/** S4: what a seal that was killed gave back is withheld again before the source, or the rest of the disk, is read. */
const withholdAgain = (held: HeldDisk): Promise<void> =>
  orOpenAgain(held, 'marked', () => held.memory.toRead((space) => held.withholding.open(held.own, space)));

/** S3: what a seal finds on the disk ends the disk's lineage, so that the next try copies the whole disk (S9). */
async function recordingDamage<T>(held: HeldDisk, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Corrupt')
      await held.ledger.append({ t: 'broken', because: error.message });
    throw error;
  }
}

const sealError = (subject: string, message: string): Failure =>
  corrupt({
    op: 'seal',
    subject,
    message,
    hint: 'The disk stays open and cannot boot; look at the target storage, then copy the disk in full.',
  });

function refuseUnproven({ geometry, ledger, subject }: HeldDisk): void {
  for (let block = 0; block < geometry.blocks; block++) {
    const { start, end } = writableRange(geometry, block);
    if (start === end || ledger.table.isKnown(block)) continue;
    const hint = 'Copy the disk in full, then seal.';
    throw corrupt({ op: 'seal', subject, message: `block ${block} has never been proven`, hint });
  }
}

/** Both lie in the one block, head first: a MiB each at most. */
async function readWithheld(
  { geometry, signal, subject }: HeldDisk,
  source: PointReader,
  { space, filledBy }: Lent,
): Promise<Withheld> {
  const { headEnd, tailStart, sizeBytes } = geometry;
  const head = space.subarray(0, headEnd);
  const tail = space.subarray(withheldBytes, withheldBytes + sizeBytes - tailStart);
  const fill = async (offset: number, into: Buffer): Promise<void> => {
    const read = source.read(offset, into, signal);
    filledBy(read);
    await untilAborted(read, signal);
  };
  if (tail.byteLength > 0) await fill(tailStart, tail);
  await fill(0, head);
  if (decodeMarker(head) === undefined) return { head, tail };
  throw sealError(subject, 'the point itself is an open disk of Homeward');
}

/** In the order that keeps the disk from booting until the last write. Answers what the whole disk is then. */
async function giveBack(held: HeldDisk, withheld: Withheld, reread: () => Promise<void>): Promise<Sealed> {
  const halfway = held.marker === undefined;
  if (halfway) await recognise(held, withheld);
  else await orOpenAgain(held, 'marked', () => giveEnds(held, withheld));
  return orOpenAgain(held, 'booting', async () => {
    // S4: what was cut off here can boot already, so that damage found now has to withhold it again.
    if (halfway) await reread();
    else await held.target.write(0, withheld.head.subarray(0, held.withholding.bootBytes));
    await held.target.flush();
    return sealedOf(held, await compareBlocks(held, withheld, 0));
  });
}

/**
 * A seal cut off at the boot sector left no marker: all else at both ends tells whether this is its disk. If so and sector 0 is
 * not the point's, it is withheld again (S4), and copied in full (S3); a disk that is not known keeps what it has.
 */
async function recognise(held: HeldDisk, withheld: Withheld): Promise<void> {
  try {
    await compareBlocks(held, withheld, held.withholding.bootBytes);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'Corrupt')) throw error;
    throw corrupt({
      op: 'seal',
      subject: held.subject,
      message: `the disk has no marker, and is not known as the one whose seal was cut off: ${error.message}`,
      hint: 'It was left as it is and may be able to boot: attach it to nothing. See which device was plugged in, then copy the disk in full.',
    });
  }
}

/** All but the boot sector. */
async function giveEnds(held: HeldDisk, withheld: Withheld): Promise<void> {
  const { target, geometry, withholding, signal, options } = held;
  const { headEnd, tailStart } = geometry;
  const boot = withholding.bootBytes;
  // The partition header lies in the second sector; a firmware that finds it may ignore a missing boot sector.
  const header = Math.min(2 * boot, headEnd);
  await held.ledger.append({ t: 'sealing', point: options.point });
  await held.fence();
  if (withheld.tail.byteLength > 0) await target.write(tailStart, withheld.tail);
  await target.flush();
  signal.throwIfAborted();
  if (headEnd > header) await target.write(header, withheld.head.subarray(header));
  await target.flush();
  await compareBlocks(held, withheld, header);
  signal.throwIfAborted();
  await held.fence();
  if (header > boot) await target.write(boot, withheld.head.subarray(boot, header));
  await target.flush();
  await compareBlocks(held, withheld, boot);
  signal.throwIfAborted();
  await held.fence();
}

/** Whose sector 0 is when a step of a seal fails: our marker's, or, without a marker, that of our boot sector on its way. */
type FirstSector = 'marked' | 'booting';

/** S4: a seal that stops before it is proven leaves the disk as it was, open and with nothing that says how to boot it. */
async function orOpenAgain<T>(held: HeldDisk, first: FirstSector, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await openAgain(held, first, hostFailure(error, 'seal', held.subject));
    throw error;
  }
}

/** Throws `because` with more to say when the disk cannot be withheld again. */
async function openAgain(
  { withholding, own, subject, memory }: HeldDisk,
  first: FirstSector,
  because: Failure,
): Promise<void> {
  // S8: what is another attempt's by now is not ours to write, and one without a marker it may have sealed.
  if (because.kind === 'Fenced') return;
  try {
    const found = await withholding.readMarker();
    if (found === undefined && first === 'marked')
      throw new Error('what stands in the place of its marker is not ours');
    if (found === undefined || (found.id === own.id && found.epoch === own.epoch))
      await memory.toRead((space) => withholding.open(own, space));
  } catch (error) {
    const { message } = hostFailure(error, 'seal', subject);
    throw new Failure(because.kind, {
      op: because.op,
      subject,
      message: `${because.message}; and the disk could not be withheld again: ${message}`,
      hint: 'The disk may be able to boot and is not proven: attach it to nothing. Look at the target storage, then retry.',
      cause: because,
    });
  }
}

/**
 * Reads every block that touches a withheld region through a fresh handle: the withheld bytes must be the point's,
 * except those before `from`; the rest must still have its recorded digest. Returns the digests of the whole blocks.
 */
async function compareBlocks(held: HeldDisk, withheld: Withheld, from: number): Promise<SealedBlocks> {
  const { target, geometry, memory, digest, ledger, subject } = held;
  const found: [number, Buffer][] = [];
  const proven = new Map<number, Uint8Array>();
  // L5: as in a scrub, nobody waits for the mover's own storage with memory in hand that other disks read back into.
  for (const block of withheldBlocks(geometry))
    if (ledger.table.isKnown(block)) proven.set(block, await ledger.table.digestOf(block));
  await target.withFresh((reader) =>
    memory.toRead(async (space) => {
      for (const block of withheldBlocks(geometry)) {
        const [whole, open]: [Buffer[], Buffer[]] = [[], []];
        for (const piece of readBackPieces(blockRange(geometry, block))) {
          await reader.read(piece.start, piece.end - piece.start, space);
          const bytes = space.subarray(0, piece.end - piece.start);
          const head = sameBytes(bytes, piece, withheld.head, { start: from, end: geometry.headEnd }, 0);
          const tailRange = { start: geometry.tailStart, end: geometry.sizeBytes };
          const tail = sameBytes(bytes, piece, withheld.tail, tailRange, geometry.tailStart);
          if (!head || !tail) throw sealError(subject, `block ${block} reads back as something else than was written`);
          whole.push(leafDigests(digest, bytes));
          blankWithheld(geometry, piece, bytes);
          open.push(leafDigests(digest, bytes));
        }
        found.push([block, digest.of(...whole)]);
        const writable = writableRange(geometry, block);
        if (writable.start === writable.end) continue;
        const must = proven.get(block);
        if (must !== undefined && digest.of(...open).equals(must)) continue;
        throw sealError(subject, `block ${block} is no longer what was proven`);
      }
    }),
  );
  return found;
}

/** Whether the bytes of `region` inside this piece equal `wanted`, whose first byte lies at `origin` of the disk. */
function sameBytes(bytes: Buffer, piece: Range, wanted: Buffer, region: Range, origin: number): boolean {
  const start = Math.max(piece.start, region.start);
  const end = Math.min(piece.end, region.end);
  if (start >= end) return true;
  return bytes.subarray(start - piece.start, end - piece.start).equals(wanted.subarray(start - origin, end - origin));
}
