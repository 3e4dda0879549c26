/**
 * Where an answer's body ends and where its bytes go.
 * Rule: bytes go straight into the reader's space; one that does not fit ends the read before anything is overrun.
 * Never believes an end that was not announced: a connection that closes early is an error, not a shorter body.
 */
import { BadAnswer, type Framing } from './http-head.ts';

/** The body is longer than the space for it. */
export class BodyTooLong extends RangeError {}

/** The connection ended before the body did. */
export class BodyCutOff extends Error {
  readonly code = 'ECONNRESET';
}

const longestLineBytes = 4 * 1024;

/** A caller's memory being filled. */
export class Space {
  private readonly into: Uint8Array;
  filled = 0;

  constructor(into: Uint8Array) {
    this.into = into;
  }

  put(bytes: Uint8Array): void {
    if (bytes.byteLength > this.room) throw new BodyTooLong('the answer is longer than the space for it');
    this.into.set(bytes, this.filled);
    this.filled += bytes.byteLength;
  }

  get room(): number {
    return this.into.byteLength - this.filled;
  }

  /** The next `bytes` of it, for a reader that writes there itself and then says so by `filled`. */
  next(bytes: number): Uint8Array {
    return this.into.subarray(this.filled, this.filled + Math.min(bytes, this.room));
  }
}

/** A whole body as text, read by what fills memory. Throws a `BodyTooLong` when it is longer than `mostBytes`. */
export async function bodyText(fill: (into: Uint8Array) => Promise<number>, mostBytes: number): Promise<string> {
  const into = Buffer.alloc(mostBytes);
  return into.toString('utf8', 0, await fill(into));
}

/** Counts and unwraps one body as it arrives in pieces. */
export class BodyFrame {
  private readonly framing: Framing;
  /** Of the body, or of the chunk; meaningless where the connection's end is the body's. */
  private left: number;
  private step: 'size' | 'data' | 'after-data' | 'trailer' | 'done';
  private line = '';

  constructor(framing: Framing) {
    this.framing = framing;
    this.left = framing.kind === 'length' ? framing.bytes : 0;
    this.step = framing.kind === 'chunked' ? 'size' : 'data';
    if (framing.kind === 'length' && framing.bytes === 0) this.step = 'done';
  }

  get done(): boolean {
    return this.step === 'done';
  }

  /** The length announced for the whole body, when one was. */
  get announced(): number | undefined {
    return this.framing.kind === 'length' ? this.framing.bytes : undefined;
  }

  /** How many bytes from here on are plain body and may land in the space without a look; 0 when that is not known. */
  get plain(): number {
    return this.framing.kind === 'length' ? this.left : 0;
  }

  /** Says that so many plain bytes landed in the space. */
  landed(bytes: number): void {
    this.left -= bytes;
    if (this.left === 0) this.step = 'done';
  }

  /** Takes what belongs to the body into `space`; returns how many bytes of the piece that were. */
  feed(piece: Uint8Array, space: Space): number {
    let at = 0;
    while (at < piece.byteLength && !this.done) {
      if (this.step === 'data') {
        const most = this.framing.kind === 'close' ? piece.byteLength - at : this.left;
        const part = piece.subarray(at, at + most);
        space.put(part);
        at += part.byteLength;
        if (this.framing.kind === 'length') this.landed(part.byteLength);
        else if (this.framing.kind === 'chunked') this.chunkLanded(part.byteLength);
      } else at = this.readLine(piece, at);
    }
    return at;
  }

  private chunkLanded(bytes: number): void {
    this.left -= bytes;
    if (this.left === 0) this.step = 'after-data';
  }

  private readLine(piece: Uint8Array, from: number): number {
    const newline = piece.indexOf(10, from);
    const end = newline < 0 ? piece.byteLength : newline + 1;
    this.line += Buffer.from(piece.subarray(from, end)).toString('latin1');
    if (this.line.length > longestLineBytes) throw new BadAnswer('a chunk of the answer has no end of line');
    if (newline < 0) return end;
    const text = this.line.replace(/\r?\n$/, '');
    this.line = '';
    if (this.step === 'size') this.beginChunk(text);
    else if (this.step === 'trailer') this.step = text === '' ? 'done' : 'trailer';
    else if (text === '') this.step = 'size';
    else throw new BadAnswer('a chunk of the answer is longer than it said');
    return end;
  }

  private beginChunk(text: string): void {
    const [, size] = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(text) ?? [];
    if (size === undefined) throw new BadAnswer('a chunk of the answer has no size');
    this.left = Number.parseInt(size, 16);
    this.step = this.left === 0 ? 'trailer' : 'data';
  }

  /** The connection ended. Throws when the body was not whole. */
  end(): void {
    if (this.framing.kind === 'close') this.step = 'done';
    if (!this.done) throw new BodyCutOff('the connection ended in the middle of the answer');
  }
}
