/**
 * What a seal leaves in the disk's record: the proof with its root, and the digests of both ends, as they are now and as they
 * were while the disk was open. Rule: once the proof is in the journal the disk is sealed, whatever becomes of folding it.
 */
import type { SealProof } from '../model/machine.ts';
import { rootOf } from './digest.ts';
import { hostFailure } from './failure.ts';
import { type Grip, type HeldDisk, type PointWork, readBackBy } from './held-disk.ts';
import { Ledger } from './ledger.ts';

/** The blocks at both ends, each with its digest. */
export type SealedBlocks = readonly (readonly [number, Buffer])[];

type RecordedBlocks = readonly (readonly [number, string])[];

/** What is recorded of the bytes of a sealed disk. */
export interface Sealed {
  readonly root: string;
  readonly blocks: RecordedBlocks;
  /** As they were while the disk was open. */
  readonly open: RecordedBlocks;
}

/** S3: the root is made of what was proven: digests that went bad on the mover since then are damage, and no disk is sealed by them. */
export async function sealedOf({ geometry, ledger }: HeldDisk<PointWork>, ends: SealedBlocks): Promise<Sealed> {
  const { table } = ledger;
  const sealed = new Map(ends);
  const root = await rootOf(geometry, (block) => sealed.get(block) ?? table.digestOf(block));
  const text = (block: number, bytes: Uint8Array) => [block, Buffer.from(bytes).toString('base64')] as const;
  const open = [];
  for (const [block] of ends) if (table.isKnown(block)) open.push(text(block, await table.digestOf(block)));
  await table.refuseDamage();
  return { root, blocks: ends.map(([block, bytes]) => text(block, bytes)), open };
}

/** A proof in the journal may be one whose flush failed: it counts once the record is written anew. Folded, it is durable. */
export async function fromDurableRecord(
  { view, folder, subject, assure }: Grip<PointWork>,
  proof: SealProof,
): Promise<SealProof> {
  if (!view.known || view.journal.records === 1) return proof;
  await assure();
  const ledger = await Ledger.resume(folder, subject, view);
  try {
    await ledger.compact();
  } finally {
    await ledger.close();
  }
  return proof;
}

/** The seal is in the record already; a journal that cannot be folded now costs the next reader some time. */
export async function foldRecord({ ledger, options, subject }: HeldDisk<PointWork>): Promise<void> {
  try {
    await ledger.compact();
  } catch (error) {
    const { message } = hostFailure(error, 'seal', subject);
    options.note?.(`${subject} is sealed, but its record could not be folded: ${message}`);
  }
}

/** The disk is sealed from here on. `reread`: all of it was read back once more. */
export async function recordSeal(
  held: HeldDisk<PointWork>,
  { root, blocks, open }: Sealed,
  reread: boolean | undefined,
): Promise<SealProof> {
  const { ledger, options, digest } = held;
  const { disk, point, sizeBytes } = options;
  const facts = { disk, point, sizeBytes, algorithm: digest.name, root, provenBytes: sizeBytes };
  const proof: SealProof = { ...facts, ...readBackBy(held, reread) };
  await ledger.append({ t: 'sealed', proof, blocks, open });
  return proof;
}
