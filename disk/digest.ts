/**
 * Digests of blocks and the root over a whole disk.
 * Rule: the algorithm's name is recorded with every digest table, so that nobody compares digests of two kinds. `-64k` says that
 * a block's digest is that of its leaves' digests (disk/leaves.ts).
 * BLAKE3 costs 0.12 s/GiB and SHA-256 0.60 s/GiB on one core; SHA-256 serves where the native part is missing.
 * Never used as a checksum against accident only: both are cryptographic, and the root is meant for an auditor.
 */
import { createHash } from 'node:crypto';
import { blockRange, type Geometry } from './geometry.ts';

export type DigestName = 'blake3-64k' | 'sha256-64k';

/** Bytes of one digest, for both algorithms. */
export const digestBytes = 32;

export interface Digest {
  readonly name: DigestName;
  /** The digest of the parts one after another. */
  of(...parts: readonly Uint8Array[]): Buffer;
}

const sha256: Digest = {
  name: 'sha256-64k',
  of(...parts) {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
};

async function loadBlake3(): Promise<Digest | undefined> {
  let native: typeof import('@napi-rs/blake-hash');
  try {
    native = await import('@napi-rs/blake-hash');
  } catch {
    // The prebuilt part does not exist for this machine; the caller falls back and the name is recorded.
    return undefined;
  }
  return {
    name: 'blake3-64k',
    of(...parts) {
      const [only] = parts;
      if (only !== undefined && parts.length === 1) return native.blake3(only);
      const hasher = new native.Blake3Hasher();
      for (const part of parts) hasher.update(part);
      return hasher.digestBuffer();
    },
  };
}

let loading: Promise<Digest | undefined> | undefined;

/** The algorithm asked for, or the best this machine has; undefined when the one asked for is missing here. */
export async function digestNamed(name?: DigestName): Promise<Digest | undefined> {
  if (name === 'sha256-64k') return sha256;
  loading ??= loadBlake3();
  const blake3 = await loading;
  return name === 'blake3-64k' ? blake3 : (blake3 ?? sha256);
}

/** SHA-256 over (offset u64le, length u64le, digest) of every block in order, hex: any auditor can recompute it. */
export async function rootOf(
  geometry: Geometry,
  digestOf: (block: number) => Uint8Array | Promise<Uint8Array>,
): Promise<string> {
  const hash = createHash('sha256');
  const entryBytes = 16 + digestBytes;
  // Many entries a call: a disk of 2 TiB has half a million.
  const entries = Buffer.alloc(1024 * entryBytes);
  let filled = 0;
  for (let block = 0; block < geometry.blocks; block++) {
    const { start, end } = blockRange(geometry, block);
    entries.writeUInt32LE(start % 2 ** 32, filled);
    entries.writeUInt32LE(Math.floor(start / 2 ** 32), filled + 4);
    entries.writeUInt32LE(end - start, filled + 8);
    const found = digestOf(block);
    entries.set(found instanceof Uint8Array ? found : await found, filled + 16);
    filled += entryBytes;
    if (filled < entries.byteLength) continue;
    hash.update(entries);
    filled = 0;
  }
  return hash.update(entries.subarray(0, filled)).digest('hex');
}
