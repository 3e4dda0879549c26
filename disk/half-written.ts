/**
 * What it means that leaves of a partly changed block are not what was proven: an earlier attempt of the same round left them
 * half written, or somebody else changed the disk.
 * Rule: S3, only the first is mended by bringing these leaves whole. It is told by their bytes: what the change leaves alone
 * must be the point's, which the disk held before, and some sector of the change must have been written. Anything else is
 * recorded, and ends the disk's lineage: who changed one leaf may have changed those that no round looks at. Costs a read only
 * where leaves are doubted. Never counts a leaf as half written in the attempt that began the round.
 */
import { corrupt } from '../model/failure.ts';
import { type BlockJob, joined } from './block-plan.ts';
import { blockRange, clipped, type Range, sectorBytes, writableRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import { partsIn, readBackPieces } from './read-back.ts';

/** Throws where no earlier attempt can have written the block: what differs in it was changed by somebody else. */
export async function refuseUntouched(held: HeldDisk, block: number, doubted: readonly Range[]): Promise<void> {
  const { round, epoch } = held.ledger.state;
  if (round?.begunBy === epoch) await endLineage(held, block, doubted);
}

/**
 * Throws where the doubted leaves, as they lie on the disk, hold what no attempt can have written. `planned`: the change;
 * `brought`: the block as it is to be, these leaves whole from the point.
 */
export async function refuseDamage(
  held: HeldDisk,
  planned: BlockJob,
  doubted: readonly Range[],
  brought: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const { geometry, memory, target } = held;
  const block = blockRange(geometry, planned.block);
  const writable = writableRange(geometry, planned.block);
  // A doubted range may reach over several pieces, and is judged by all of them.
  const looks = doubted.map((range) => ({ range, foreign: false, written: false }));
  await memory.toRead(async (space) => {
    for (const piece of readBackPieces(block)) {
      const { start } = piece;
      for (const run of joined(partsIn(piece, doubted), 1)) {
        signal.throwIfAborted();
        await target.read(run.start, run.end - run.start, space.subarray(run.start - start));
      }
      const same = ({ start: from, end: to }: Range): boolean =>
        space.subarray(from - start, to - start).equals(brought.subarray(from - block.start, to - block.start));
      for (const look of looks) {
        const part = clipped(clipped(look.range, writable), piece);
        const { foreign, written } = lookAt(part, planned.writes, same);
        look.foreign ||= foreign;
        look.written ||= written;
      }
    }
  });
  const bad = looks.filter(({ foreign, written }) => foreign || !written).map(({ range }) => range);
  if (bad.length > 0) await endLineage(held, planned.block, bad);
}

/** Changes are whole sectors, and a sector is written whole or not at all. `foreign`: one that no attempt can have left so. */
function lookAt(
  part: Range,
  writes: readonly Range[],
  same: (sector: Range) => boolean,
): { foreign: boolean; written: boolean } {
  let written = false;
  for (let { start } = part; start < part.end; start += sectorBytes) {
    const sector = { start, end: Math.min(part.end, start + sectorBytes) };
    const isNew = same(sector);
    if (!isNew && !isCovered(sector, writes)) return { foreign: true, written };
    written ||= isNew && isCovered(sector, writes);
  }
  return { foreign: false, written };
}

/** S8: in the record before it is told, but not of a disk that another attempt has by now: that one may have written it. */
async function endLineage(held: HeldDisk, block: number, doubted: readonly Range[]): Promise<never> {
  const where = doubted.map(({ start, end }) => `[${start}, ${end})`).join(' ');
  const because = `block ${block} ${where} is no longer what was proven`;
  await held.fence();
  await held.ledger.append({ t: 'broken', because });
  throw corrupt({
    op: 'lineage',
    subject: held.subject,
    message: because,
    hint: 'Something else wrote to the disk, or its storage lost bytes: find out which. The disk has to be copied in full.',
  });
}

/** Whether one of ascending ranges, of which none touch, holds all of `part`. */
export const isCovered = (part: Range, ranges: readonly Range[]): boolean =>
  ranges.some(({ start, end }) => start <= part.start && part.end <= end);
