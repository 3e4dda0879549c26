/**
 * Before a round counts: was each block that it had to bring proven in it, by this attempt or by one before?
 * Rule: S3, a second bar, so it asks the list of changes and the digest table and nobody who planned, wrote or proved
 * (disk/block-plan.ts, disk/window.ts). Never keeps more than it tells: a disk of 32 TiB has 8 million blocks.
 */
import { type Failure, transient } from '../model/failure.ts';
import type { DigestTable } from './digest-table.ts';
import { blockBytes, type Geometry, type Range } from './geometry.ts';
import type { Changes } from './range-list.ts';
import { Turn } from './turn.ts';

/** Runs of blocks that are told; the others are counted. */
const toldRuns = 8;

export interface Round {
  readonly subject: string;
  readonly geometry: Geometry;
  readonly table: Pick<DigestTable, 'isProvenInRound'>;
  readonly changes: Changes;
  /** All of the disk has to be proven, named or not: of a whole map, or after a use. */
  readonly whole: boolean;
  readonly signal: AbortSignal;
}

/** Both lists as one, in order of where ranges begin. */
function* namedRanges({ data, zero }: Changes): Generator<Range, void, undefined> {
  for (let [d, z] = [0, 0]; d < data.count || z < zero.count; )
    yield data.at(d).start < zero.at(z).start ? data.at(d++) : zero.at(z++);
}

/** Each block once, ascending; not those that are withheld as a whole, which no round writes (S4). */
function* blocksOf({ geometry, changes, whole }: Round): Generator<number, void, undefined> {
  const { headEnd, tailStart, sizeBytes } = geometry;
  let next = 0;
  for (const { start, end } of whole ? [{ start: 0, end: sizeBytes }] : namedRanges(changes)) {
    const [from, to] = [Math.max(start, headEnd), Math.min(end, tailStart)];
    if (from >= to) continue;
    for (next = Math.max(next, Math.floor(from / blockBytes)); next * blockBytes < to; next++) yield next;
  }
}

/** Throws `Transient` when there are others: the next attempt brings those, and only those. Throws the reason of `signal`. */
export async function refuseUnprovenRound(round: Round): Promise<void> {
  const turn = new Turn();
  const runs: [number, number][] = [];
  let count = 0;
  for (const block of blocksOf(round)) {
    if (turn.isOver()) {
      await turn.next();
      round.signal.throwIfAborted();
    }
    if (round.table.isProvenInRound(block)) continue;
    count++;
    const last = runs.at(-1);
    if (last?.[1] === block - 1) last[1] = block;
    else if (runs.length <= toldRuns) runs.push([block, block]);
  }
  if (count > 0) throw unproven(round.subject, count, runs);
}

function unproven(subject: string, count: number, runs: readonly (readonly [number, number])[]): Failure {
  const told = runs.slice(0, toldRuns).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  const which = `${told.join(', ')}${runs.length > toldRuns ? ' and others' : ''}`;
  return transient({
    op: 'round',
    subject,
    message: `${count} block(s) of the round were not read back and compared: ${which}`,
    hint: 'Nothing to do: the round does not count yet, and the next attempt brings just these. It is a defect of this mover all the same; report it.',
  });
}
