/**
 * Shortens bytes to some 4 KiB that have the same CRC64, so that hardly anything is left for the tables of a CRC (2 GB/s at best).
 * Why that is right: a CRC is the remainder of the bytes, read as a polynomial over GF(2), by that of the CRC. So a multiple of
 * it may be taken away from them as often as one likes, and one with few terms, each a power of x^8, takes the first bytes away
 * by adding them (XOR) to a few later ones: an addition of 16 bytes a time, and no multiplication. (Known as Chorba: Russell,
 * "Chorba: a novel CRC32 implementation", 2024, there for CRC-32.)
 * Rule: only for CRC-64/NVME. Never computes a checksum itself.
 */
import { type FoldCode, foldCode, strideBytes } from './fold-code.ts';

/**
 * The terms of the multiple: the sum of x^(8 t) over these t is divisible by x^64 + ... of CRC-64/NVME. Found by searching
 * all sums of seven such terms; a test divides this one.
 */
export const terms = [0, 153, 355, 727, 1750, 3925, 4498] as const;
const reach = terms[6];
const others = terms.slice(0, -1);

/** Memory of the fold: bytes already folded, the last `reach` of them; then the part that is being folded. */
const partBytes = 32 * 1024;
/** The rest that stays lies behind zeros, because nothing of it is folded any more. */
const restAt = 2 * reach + 2 * strideBytes;
/** A CRC begins with all ones, which are added to the first bytes: both here and by who computes the CRC of the rest. */
const beginBytes = 8;

const whole = (bytes: number): number => bytes - (bytes % strideBytes);

let loaded: { readonly code: FoldCode; readonly memory: Uint8Array } | undefined;

function load(): { readonly code: FoldCode; readonly memory: Uint8Array } {
  const code = foldCode(others);
  return { code, memory: new Uint8Array(code.memory.buffer) };
}

/** Bytes with the CRC-64/NVME of `bytes`; fewer, where these are many. Valid until the next call. */
export function congruent(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength < 2 * reach) return bytes;
  loaded ??= load();
  const { code, memory } = loaded;
  const invert = (from: number): void => {
    for (let at = from; at < from + beginBytes; at++) memory[at] = ~(memory[at] ?? 0);
  };
  const folded = whole(bytes.byteLength - reach);
  memory.fill(0, 0, reach);
  for (let at = 0; at < folded; at += partBytes) {
    const part = bytes.subarray(at, Math.min(folded, at + partBytes));
    memory.set(part, reach);
    if (at === 0) invert(reach);
    code.fold(0, reach, reach + part.byteLength);
    memory.copyWithin(0, part.byteLength, part.byteLength + reach);
  }
  const rest = bytes.subarray(folded);
  const end = restAt + rest.byteLength;
  memory.fill(0, reach, restAt);
  memory.set(rest, restAt);
  code.fold(0, restAt, restAt + whole(rest.byteLength + strideBytes - 1));
  invert(restAt);
  return memory.subarray(restAt, end);
}
