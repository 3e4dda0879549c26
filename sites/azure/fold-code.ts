/**
 * The inner loop of sites/azure/congruent.ts as a WebAssembly module: 16 bytes an instruction, which JavaScript has no words for.
 * Rule: it knows nothing of checksums. `fold(behind, at, end)` adds (XOR) to each byte of [at, end) those that lie `distances`
 * after `behind`, which goes along; `end - at` is a multiple of `strideBytes`. The instance has one memory of its own.
 * The numbers are opcodes of the WebAssembly core specification (binary format; SIMD instructions begin with 0xfd).
 */

/** Bytes of one turn of the loop: a cache line. */
export const strideBytes = 64;
export const memoryBytes = 64 * 1024;

export interface FoldCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly fold: (behind: number, at: number, end: number) => void;
}

/** The part of it we use; the language's own declarations count it to the browser. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

type Code = readonly (number | Code)[];
const bytesOf = (code: Code): number[] => code.flatMap((part) => (typeof part === 'number' ? [part] : bytesOf(part)));

/** LEB128. */
function unsigned(value: number): number[] {
  const low = value & 0x7f;
  return value > 0x7f ? [low | 0x80, ...unsigned(value >>> 7)] : [low];
}
/** The signed form, of a positive number. */
const signed = (value: number): number[] => (value > 0x3f ? [(value & 0x7f) | 0x80, ...signed(value >>> 7)] : [value]);

const sized = (code: Code): Code => [unsigned(bytesOf(code).length), code];
const section = (id: number, ...content: Code): Code => [id, sized(content)];
const name = (text: string): Code => sized([...Buffer.from(text)]);

const [behind, at, end] = [0, 1, 2];
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const advance = (local: number): Code => [get(local), 0x41, signed(strideBytes), 0x6a, set(local)];
const load = (offset: number): Code => [0xfd, 0x00, 0, unsigned(offset)];
const store = (offset: number): Code => [0xfd, 0x0b, 0, unsigned(offset)];
const xor: Code = [0xfd, 0x51];

function loopOf(distances: readonly number[]): Code {
  const turn: Code[] = [];
  for (let part = 0; part < strideBytes; part += 16) {
    const added = distances.map((distance): Code => [get(behind), load(distance + part), xor]);
    turn.push([get(at), get(at), load(part), added, store(part)]);
  }
  const again: Code = [get(at), get(end), 0x49, 0x0d, 0];
  return [0x03, 0x40, turn, advance(behind), advance(at), again, 0x0b];
}

export function foldCode(distances: readonly number[]): FoldCode {
  const i32 = 0x7f;
  const module: Code = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, 1, 0x60, 3, i32, i32, i32, 0),
    section(3, 1, 0),
    section(5, 1, 1, 1, 1),
    section(7, 2, name('memory'), 2, 0, name('fold'), 0, 0),
    section(10, 1, sized([0, loopOf(distances), 0x0b])),
  ];
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytesOf(module)))).exports as FoldCode;
}
