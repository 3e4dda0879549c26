/**
 * Whether the records of a machine's disks fit into the state folder of its mover: found before anything is copied, and again
 * before the source is stopped, because a full folder stops a copy where it stands.
 * Rule: reckoned for disks that are full of data. Which blocks are holes nobody knows before the first copy, and they may be
 * written at any time. Pure; test/disk/state-room.test.ts holds it against what a copy really takes.
 */
import { bytes } from './amount.ts';
import type { Check } from './check.ts';

/** What a mover saw of its state folder. */
export interface StateRoomSeen {
  readonly folder: string;
  /** For the mover's own user. */
  readonly freeBytes: number;
  /** What the records of the asked machine take there already. */
  readonly heldBytes: number;
  /** Why it could not be looked at; then the figures say nothing. */
  readonly problem?: string;
}

const KiB = 1024;
const blockBytes = 4096 * KiB;
/** 32 bytes for each leaf of 64 KiB (disk/leaf-file.ts). */
const leavesOf = (sizeBytes: number): number => Math.ceil(sizeBytes / (64 * KiB)) * 32;
const blocksOf = (sizeBytes: number): number => Math.ceil(sizeBytes / blockBytes);
/** A checkpoint: a byte a block and 32 KiB for each 1024 of them (disk/digest-table.ts), and its head. */
const tableOf = (sizeBytes: number): number =>
  blocksOf(sizeBytes) + Math.ceil(blocksOf(sizeBytes) / 1024) * 32 * KiB + 8 * KiB;
/** A journal is folded into the checkpoint at this length, and between rounds from 256 KiB on (disk/ledger.ts). */
const longestJournal = 16 * 1024 * KiB;
/** That of one whole copy. */
const journalOf = (sizeBytes: number): number => Math.min(longestJournal, blocksOf(sizeBytes) * 512 + 8 * KiB);

const sum = (sizesBytes: readonly number[], of: (sizeBytes: number) => number): number =>
  sizesBytes.reduce((total, size) => total + of(size), 0);

/** What the records of these disks take at most while each is copied once in full; a checkpoint is replaced by another beside it. */
export const stateBytes = (sizesBytes: readonly number[]): number =>
  sum(sizesBytes, (size) => leavesOf(size) + 2 * tableOf(size) + journalOf(size));

/** `seen`: absent when the mover's worker is too old to say. */
export function roomCheck(subject: string, seen: StateRoomSeen | undefined, sizesBytes: readonly number[]): Check {
  const about = { id: 'mover-room', subject } as const;
  if (!seen) return { ...about, verdict: 'pass', seen: 'its worker does not say what room its state folder has' };
  const { folder, freeBytes, heldBytes, problem } = seen;
  const where = `its state folder ${folder}`;
  const remedy = `Free space on mover ${subject} in the file system of ${folder}, or enlarge it`;
  if (problem !== undefined)
    return {
      ...about,
      verdict: 'refuse',
      seen: `${where} cannot be looked at: ${problem}`,
      remedy: `Make ${folder} on mover ${subject} readable for the mover's user, or correct movers.${subject}.state in homeward.yaml and start the mover again.`,
    };
  // Whatever is there already: a checkpoint is written anew beside the old one.
  const more = Math.max(sum(sizesBytes, tableOf), stateBytes(sizesBytes) - heldBytes);
  const figures = `${where} has ${bytes(freeBytes)} free, and what it keeps of these disks may take ${bytes(more)} more`;
  if (sizesBytes.length === 0)
    return { ...about, verdict: 'pass', seen: `${where} has ${bytes(freeBytes)} free; for which disks is not known` };
  if (freeBytes < more) return { ...about, verdict: 'refuse', seen: figures, remedy: `${remedy}.` };
  const close = sum(sizesBytes, (size) => longestJournal - journalOf(size));
  if (freeBytes - more >= close) return { ...about, verdict: 'pass', seen: figures };
  return {
    ...about,
    verdict: 'warn',
    seen: `${figures}, and up to ${bytes(close)} besides in a round of many small changes`,
    remedy: `${remedy}: what fills it stops the copy.`,
  };
}
