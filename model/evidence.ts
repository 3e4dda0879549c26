/**
 * The record of a run: every effect, approval and proof as one entry, each carrying the digest of the one before it.
 * Rule (S12): the record only grows, and changing any earlier entry breaks every later digest. Never a secret in it (S13).
 * SHA-256 comes from @noble/hashes because workflow code has no node:crypto.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export interface EvidenceEntry {
  readonly seq: number;
  /** ISO 8601, the workflow's clock. */
  readonly at: string;
  /** Says the same thing again when the same effect is recorded again: `stop-source`, `round-3/os`. */
  readonly key: string;
  /** What was done or seen, one sentence. */
  readonly what: string;
  /** What the worlds answered: JSON-safe figures, ids and digests. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly previous: string;
  readonly digest: string;
}

/** What the first entry names as its predecessor. */
export const genesis = '0'.repeat(64);

export const digestText = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

const sealEntry = (entry: Omit<EvidenceEntry, 'digest'>): EvidenceEntry => ({
  ...entry,
  digest: digestText(canonical(entry)),
});

/** Keys in a fixed order, so that any auditor computes the same text. */
function canonical(entry: Omit<EvidenceEntry, 'digest'>): string {
  const facts = Object.entries(entry.facts).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([entry.seq, entry.at, entry.key, entry.what, facts, entry.previous]);
}

/** Adds an entry; the record that was given stays as it is. */
export function record(
  chain: readonly EvidenceEntry[],
  entry: Pick<EvidenceEntry, 'at' | 'key' | 'what' | 'facts'>,
): EvidenceEntry[] {
  const last = chain.at(-1);
  const sealed = sealEntry({ seq: chain.length, previous: last?.digest ?? genesis, ...entry });
  return [...chain, sealed];
}

/** The first entry that does not follow from its predecessors, or undefined when the record is whole. */
export function firstBroken(chain: readonly EvidenceEntry[]): EvidenceEntry | undefined {
  let previous = genesis;
  for (const [index, entry] of chain.entries()) {
    const { digest, ...rest } = entry;
    if (entry.seq !== index || entry.previous !== previous || digestText(canonical(rest)) !== digest) return entry;
    previous = digest;
  }
  return undefined;
}

/** The digest a commit approves: over the roots of exactly these disks (S2). */
export const evidenceOfDisks = (seals: readonly { readonly disk: string; readonly root: string }[]): string =>
  digestText(
    JSON.stringify([...seals].sort((a, b) => (a.disk < b.disk ? -1 : 1)).map(({ disk, root }) => [disk, root])),
  );
