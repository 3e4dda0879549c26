/**
 * The words of a disk's journal and what each of them means: one pure step from (state, record) to state.
 * Rule: the same step is taken when a record is appended and when it is read again after a crash, so that memory and
 * journal cannot disagree. Never does I/O.
 */
import type { SealProof, TransferProof } from '../model/machine.ts';
import type { DigestName } from './digest.ts';
import type { DigestTable } from './digest-table.ts';
import { blockBytes } from './geometry.ts';

/** `opening`: the regions are not withheld yet. `broken`: a proof failed; only a full copy leads out of it. */
export type DiskPhase = 'opening' | 'open' | 'sealing' | 'sealed' | 'broken';

export interface RoundState {
  readonly number: number;
  readonly point: string;
  readonly base: string | null;
  /** The attempt that began it: while it is still that one, nothing can be half written. Absent: an older version began it. */
  readonly begunBy?: number;
  /** Begun on a disk that was in use: every block is looked at (disk/used-disk.ts). */
  readonly used?: true;
  /** What of it was written in the meantime, in whole leaves. */
  readonly usedBytes?: number;
  /** The fingerprint of the change list, once it was read. */
  readonly plan: string | null;
  readonly changedBytes: number;
  readonly copiedBytes: number;
  readonly zeroedBytes: number;
  readonly provenBytes: number;
}

/** A block written in a window: where, and the digest the whole block must have then (withheld bytes count as zeros). */
export interface WrittenBlock {
  readonly block: number;
  /** [offset in the disk, length] of each written part, ascending. */
  readonly parts: readonly (readonly [number, number])[];
  /** Base64. */
  readonly digest: string;
}

export interface DurableWindow {
  readonly t: 'durable';
  readonly window: number;
  readonly blocks: readonly WrittenBlock[];
  /** Read from the source, zeros named by it and now on the target. */
  readonly copiedBytes: number;
  readonly zeroedBytes: number;
  /** Only on a disk that was in use: bytes of leaves that were not what was proven. */
  readonly usedBytes?: number;
}

/** JSON-safe, and all there is to know of a disk but the digests. */
export interface DiskState {
  readonly id: string;
  readonly machine: string;
  readonly disk: string;
  readonly run: string;
  readonly sizeBytes: number;
  readonly algorithm: DigestName;
  /** False: an attempt read through the page cache, so that some of the proofs may be the kernel's word only (S3). */
  readonly direct: boolean;
  readonly epoch: number;
  /** S9: the last attempt whose marker is known to have been on the disk, durable and read back; absent: none is. */
  readonly marked?: number;
  readonly phase: DiskPhase;
  /**
   * S10: the target had not one allocated byte when it was taken over, so that what nobody wrote since is zeros. Holds for
   * the first list of the first round only.
   */
  readonly blank?: boolean;
  /** The point the disk is current at, when no round is on its way. */
  readonly point: string | null;
  readonly rounds: number;
  readonly round: RoundState | null;
  readonly unproven: readonly DurableWindow[];
  readonly lastProof: TransferProof | null;
  readonly sealing: { readonly point: string } | null;
  readonly sealProof: SealProof | null;
  readonly brokenBecause: string | null;
  /** How often it was sealed in this run; absent: never. After each the target may have used it. */
  readonly seals?: number;
  /** How often a disk of the machine had been found to be elsewhere when this copy was begun; absent: never. */
  readonly anew?: number;
  /** Of a sealed disk: what the blocks at both ends had to digest to while they were open, base64 by block. */
  readonly openDigests?: readonly (readonly [number, string])[];
}

export type DiskRecord =
  | { readonly t: 'attempt'; readonly epoch: number; readonly direct: boolean }
  /** `blank`: false where the file system does not count what is allocated, so that it never could tell. */
  | { readonly t: 'opened'; readonly blank: boolean }
  | { readonly t: 'round'; readonly point: string; readonly base: string | null }
  /** A sealed disk that came back from its use is open again, for a round of its own. */
  | { readonly t: 'reopening'; readonly point: string; readonly base: string }
  | { readonly t: 'plan'; readonly plan: string; readonly changedBytes: number }
  | DurableWindow
  /** Whole blocks that were found to be zeros, so that nothing was written: that look is their proof. */
  | { readonly t: 'zeros'; readonly digest: string; readonly runs: readonly (readonly [number, number])[] }
  /** Blocks of a used disk that were found as they were proven, and what was used of those that become zeros. */
  | { readonly t: 'looked'; readonly usedBytes: number; readonly runs: readonly (readonly [number, number])[] }
  | { readonly t: 'proven'; readonly window: number; readonly blocks: readonly (readonly [number, string])[] }
  | { readonly t: 'round-done'; readonly proof: TransferProof }
  | { readonly t: 'sealing'; readonly point: string }
  /** `blocks`: the digests of those at both ends, as they are now; `open`: as they were while the disk was open. */
  | {
      readonly t: 'sealed';
      readonly proof: SealProof;
      readonly blocks: readonly (readonly [number, string])[];
      readonly open?: readonly (readonly [number, string])[];
    }
  | { readonly t: 'broken'; readonly because: string };

export const partsLength = (block: WrittenBlock): number => block.parts.reduce((sum, [, length]) => sum + length, 0);

type RecordOf<T extends DiskRecord['t']> = Extract<DiskRecord, { readonly t: T }>;

function afterPlan(state: DiskState, record: RecordOf<'plan'>, table: DigestTable): DiskState {
  if (state.round === null) return state;
  const { plan, changedBytes } = record;
  if (state.round.plan === plan) return state;
  // The list is not the one the proofs were made for: they no longer say that this round's work is done.
  table.beginRound();
  const counts = { copiedBytes: 0, zeroedBytes: 0, provenBytes: 0 };
  const blank = state.blank === true && state.round.plan === null;
  return { ...state, blank, unproven: [], round: { ...state.round, plan, changedBytes, ...counts } };
}

function afterProven(state: DiskState, record: RecordOf<'proven'>, table: DigestTable): DiskState {
  const window = state.unproven.find((candidate) => candidate.window === record.window);
  for (const [block, digest] of record.blocks) table.prove(block, Buffer.from(digest, 'base64'));
  if (state.round === null || window === undefined) return state;
  const round = {
    ...state.round,
    copiedBytes: state.round.copiedBytes + window.copiedBytes,
    zeroedBytes: state.round.zeroedBytes + window.zeroedBytes,
    provenBytes: state.round.provenBytes + window.blocks.reduce((sum, block) => sum + partsLength(block), 0),
    ...usedSoFar(state.round, window.usedBytes),
  };
  return { ...state, round, unproven: state.unproven.filter((candidate) => candidate !== window) };
}

const usedSoFar = ({ used, usedBytes = 0 }: RoundState, more = 0): Pick<RoundState, 'usedBytes'> =>
  used ? { usedBytes: usedBytes + more } : {};

function afterLooked(state: DiskState, { runs, usedBytes }: RecordOf<'looked'>, table: DigestTable): DiskState {
  for (const [first, count] of runs) table.keep(first, count);
  return state.round === null ? state : { ...state, round: { ...state.round, ...usedSoFar(state.round, usedBytes) } };
}

function afterRound(state: DiskState, { point, base }: Pick<RoundState, 'point' | 'base'>, table: DigestTable) {
  table.beginRound();
  const counts = { changedBytes: 0, copiedBytes: 0, zeroedBytes: 0, provenBytes: 0 };
  const number = state.rounds + 1;
  const round: RoundState = { number, point, base, begunBy: state.epoch, plan: null, ...counts };
  return { ...state, rounds: number, point: null, lastProof: null, round, unproven: [] };
}

/** Its ends are withheld again, and have to be then what they were before the seal. */
function afterReopening(sealed: DiskState, record: RecordOf<'reopening'>, table: DigestTable): DiskState {
  const { openDigests = [], ...state } = sealed;
  for (const [block, digest] of openDigests) table.prove(block, Buffer.from(digest, 'base64'));
  const { round, ...begun } = afterRound(state, record, table);
  return { ...begun, phase: 'opening', sealing: null, sealProof: null, round: { ...round, used: true, usedBytes: 0 } };
}

function afterSealed(
  state: DiskState,
  { proof, blocks, open: openDigests = [] }: RecordOf<'sealed'>,
  table: DigestTable,
): DiskState {
  for (const [block, digest] of blocks) table.prove(block, Buffer.from(digest, 'base64'));
  return { ...state, phase: 'sealed', sealProof: proof, seals: (state.seals ?? 0) + 1, openDigests };
}

function afterZeros(state: DiskState, record: RecordOf<'zeros'>, table: DigestTable): DiskState {
  const digest = Buffer.from(record.digest, 'base64');
  let bytes = 0;
  for (const [first, count] of record.runs) {
    table.proveZeros(first, count, digest);
    bytes += count * blockBytes;
  }
  if (state.round === null) return state;
  const { zeroedBytes, provenBytes } = state.round;
  const round = { ...state.round, zeroedBytes: zeroedBytes + bytes, provenBytes: provenBytes + bytes };
  return { ...state, round };
}

/**
 * What an attempt records only once its marker is on the disk. Not `attempt`, which comes before it; nor `reopening`, `sealed`
 * and `broken`, which may be recorded of a disk that has none.
 */
const behindMarker: ReadonlySet<DiskRecord['t']> = new Set<DiskRecord['t']>([
  ...(['opened', 'round', 'plan', 'durable', 'zeros', 'looked', 'proven', 'round-done', 'sealing'] as const),
]);

/** The state after one more record; `table` is changed in place. */
export function afterRecord(state: DiskState, record: DiskRecord, table: DigestTable): DiskState {
  const next = stepOf(state, record, table);
  return behindMarker.has(record.t) ? { ...next, marked: state.epoch } : next;
}

function stepOf(state: DiskState, record: DiskRecord, table: DigestTable): DiskState {
  switch (record.t) {
    case 'attempt':
      return { ...state, epoch: record.epoch, direct: state.direct && record.direct };
    case 'opened':
      return { ...state, phase: 'open', sealing: null, blank: record.blank };
    case 'round':
      return afterRound(state, record, table);
    case 'reopening':
      return afterReopening(state, record, table);
    case 'plan':
      return afterPlan(state, record, table);
    case 'durable':
      return { ...state, unproven: [...state.unproven, record] };
    case 'zeros':
      return afterZeros(state, record, table);
    case 'looked':
      return afterLooked(state, record, table);
    case 'proven':
      return afterProven(state, record, table);
    case 'round-done':
      return { ...state, point: record.proof.point, lastProof: record.proof, round: null, blank: false };
    case 'sealing':
      return { ...state, phase: 'sealing', sealing: { point: record.point } };
    case 'sealed':
      return afterSealed(state, record, table);
    case 'broken':
      return { ...state, phase: 'broken', brokenBecause: record.because };
  }
}
