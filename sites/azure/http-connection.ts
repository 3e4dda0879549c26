/**
 * One kept TLS connection that carries one GET at a time and lets the body land in the caller's memory.
 * Rule: after an exchange has ended, however it ended, nothing is written into that memory any more.
 * Own reading on `onread`, because it costs half the CPU of a general client (one copy a byte, no streams).
 * Never repeats a request; says whether one was lost before a byte of its answer came.
 */
import type { Socket } from 'node:net';
import { BodyCutOff, BodyFrame, BodyTooLong, type Space } from './http-body.ts';
import { BadAnswer, type Head, longestHeadBytes, parseHead } from './http-head.ts';

/** The server hung up on a kept connection before it answered: asking once more on a new one is safe for a GET. */
export class StaleConnection extends Error {
  readonly code = 'ECONNRESET';
}

const scratchBytes = 64 * 1024;

/** One request on its way: its head first, then its body into a space. */
export class Exchange {
  readonly head = Promise.withResolvers<Head>();
  private readonly ended = Promise.withResolvers<void>();
  private before = Buffer.alloc(0);
  private found: Head | undefined;
  private body: BodyFrame | undefined;
  private space: Space | undefined;
  /** Whether a byte of the answer has come. */
  begun = false;

  constructor() {
    // Whoever waits for the body hears it; an exchange that failed before has nobody waiting.
    this.ended.promise.catch(() => undefined);
    this.head.promise.catch(() => undefined);
  }

  /** Whether the answer was read to its end and its connection may be kept. */
  get reusable(): boolean {
    return this.body?.done === true && this.found?.keepAlive === true && this.before.byteLength === 0;
  }

  /** Memory the next plain bytes of the body may land in; undefined while they must be looked at. */
  direct(): Uint8Array | undefined {
    const plain = this.body?.plain ?? 0;
    return plain > 0 && this.space !== undefined ? this.space.next(plain) : undefined;
  }

  landed(bytes: number): void {
    if (this.space !== undefined) this.space.filled += bytes;
    this.body?.landed(bytes);
    if (this.body?.done) this.ended.resolve();
  }

  /** Takes a piece of the answer; it is copied, never kept. Throws what makes the answer no answer. */
  arrived(piece: Uint8Array): void {
    this.begun = true;
    if (this.space === undefined) this.readHead(piece);
    else this.feed(piece);
  }

  private readHead(piece: Uint8Array): void {
    // Until somebody reads the body, what came along with the head waits here: at most a few pieces.
    this.before = Buffer.concat([this.before, piece]);
    while (this.found === undefined) {
      const end = this.before.indexOf('\r\n\r\n');
      if ((end < 0 ? this.before.byteLength : end) > longestHeadBytes) throw new BadAnswer('the head has no end');
      if (end < 0) return;
      const head = parseHead(this.before.toString('latin1', 0, end));
      this.before = this.before.subarray(end + 4);
      // 1xx: the answer proper follows (RFC 9110 §15.2).
      if (head.status >= 200) this.begin(head);
    }
  }

  private begin(head: Head): void {
    this.found = head;
    this.body = new BodyFrame(head.framing);
    if (this.body.done) this.ended.resolve();
    this.head.resolve(head);
  }

  /** Whether what arrives must wait because nobody reads the body yet. */
  get mustWait(): boolean {
    return this.found !== undefined && this.space === undefined && this.before.byteLength > scratchBytes;
  }

  /** Reads the body to its end into `space`. */
  async into(space: Space): Promise<void> {
    const { body } = this;
    if (body === undefined) throw new TypeError('the head comes first');
    if ((body.announced ?? 0) > space.room) throw new BodyTooLong('the answer is longer than the space for it');
    this.space = space;
    this.feed(this.before);
    await this.ended.promise;
  }

  private feed(piece: Uint8Array): void {
    if (this.body === undefined || this.space === undefined) return;
    const taken = this.body.feed(piece, this.space);
    // What follows the body is nobody's: the connection cannot be kept.
    this.before = Buffer.from(piece.subarray(taken));
    if (this.body.done) this.ended.resolve();
  }

  /** The connection ended or failed; from here on nothing lands any more. */
  fail(error: unknown): void {
    this.space = undefined;
    this.head.reject(error);
    this.ended.reject(error);
  }

  /** The server closed in good order: the end of a body, or the end too early. */
  closed(): void {
    try {
      if (this.body === undefined) throw new BodyCutOff('the connection was closed before there was an answer');
      this.body.end();
      this.ended.resolve();
    } catch (error) {
      this.fail(error);
    }
  }
}

export class HttpConnection {
  private socket: Socket | undefined;
  private readonly sockets: Socket[] = [];
  private readonly scratch = Buffer.allocUnsafeSlow(scratchBytes);
  private direct: Uint8Array | undefined;
  private exchange: Exchange | undefined;
  private unsent = '';
  private gone = false;
  private served = 0;
  private onGone: () => void = () => undefined;

  /** For `tls.connect({ onread })`: Node writes what it decrypts where `buffer` says. */
  readonly onread = {
    buffer: (): Uint8Array => {
      this.direct = this.exchange?.direct();
      return this.direct ?? this.scratch;
    },
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      if (buffer === this.direct) this.exchange?.landed(bytes);
      else this.arrived(buffer.subarray(0, bytes));
      return this.exchange?.mustWait !== true;
    },
  };

  /** Whether a request may still be sent. */
  get usable(): boolean {
    return !this.gone;
  }

  /** Calls back once when the connection is lost, used or not. */
  whenGone(act: () => void): void {
    this.onGone = act;
  }

  /** Ties a socket's life to ours; it is not spoken through. */
  hold(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('error', (error) => this.end(error)).once('close', () => this.end(undefined));
    if (this.gone) socket.destroy();
  }

  /** Speaks through a held socket made with our `onread`, or through one of a tunnel, whose data is then copied. */
  attach(socket: Socket, tunnelled: boolean): void {
    this.socket = socket;
    socket.once('end', () => this.end(undefined));
    if (tunnelled) {
      socket.on('data', (piece: Buffer) => {
        this.arrived(piece);
        if (this.exchange?.mustWait) socket.pause();
      });
    }
    if (this.unsent !== '' && !this.gone) socket.write(this.unsent, 'latin1');
    this.unsent = '';
  }

  private arrived(piece: Uint8Array): void {
    try {
      if (this.exchange === undefined) throw new BadAnswer('bytes came that nobody asked for');
      this.exchange.arrived(piece);
    } catch (error) {
      this.destroy(error);
    }
  }

  /** Sends a request, at once or when there is a socket. The caller awaits the head, reads the body, then `release`s. */
  send(request: string): Exchange {
    const exchange = new Exchange();
    this.exchange = exchange;
    this.served++;
    if (this.gone) exchange.fail(new StaleConnection('the connection was lost'));
    else if (this.socket === undefined) this.unsent = request;
    else this.socket.ref().write(request, 'latin1');
    return exchange;
  }

  /** Goes on reading after `mustWait`. */
  resume(): void {
    this.socket?.resume();
  }

  /** Ends the exchange; the connection stays only when its answer was read to its end. */
  release(): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.direct = undefined;
    if (exchange?.reusable !== true) this.destroy(new BodyCutOff('the answer was not read to its end'));
    // One that only waits must not keep a process alive that has nothing else to do.
    else this.socket?.unref();
  }

  private end(error: Error | undefined): void {
    const { exchange } = this;
    const lostBeforeAnswer = exchange !== undefined && !exchange.begun && this.served > 1;
    if (lostBeforeAnswer) exchange.fail(new StaleConnection('the kept connection was closed', { cause: error }));
    else if (error !== undefined) exchange?.fail(error);
    else exchange?.closed();
    this.lose();
  }

  /** Ends connection and exchange; after this nothing is written anywhere. */
  destroy(error: unknown): void {
    this.exchange?.fail(error);
    this.lose();
  }

  private lose(): void {
    if (this.gone) return;
    this.gone = true;
    this.direct = undefined;
    this.unsent = '';
    for (const socket of this.sockets) socket.destroy();
    this.onGone();
  }
}
