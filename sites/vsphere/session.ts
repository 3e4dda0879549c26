/**
 * The session with one vCenter: signs in when first needed, and once more when the session has ended.
 * Rule: after a new sign-in only reads are repeated; a change comes back as `Expired`, so that its caller looks first.
 * Never signs in twice at the same time, never repeats a refused password for half a minute (accounts get locked).
 */
import { expired, Failure, refused, transient } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { faultBehind, isNo } from './failure.ts';
import { type CallOptions, type Channel, openChannel } from './soap-channel.ts';
import type { Transport } from './transport.ts';
import { type Arguments, type MethodName, methodEntry, type Ref, type Returned, type Vim } from './wire/shapes.ts';

export interface SessionConfig {
  readonly url: string;
  readonly user: string;
  /** Read anew at each sign-in, so that a corrected password counts at the next try. */
  readonly password: () => string | Promise<string>;
  readonly transport: Transport;
  readonly callTimeoutMs?: number;
}

export interface CallHints {
  readonly subject?: string;
  readonly timeoutMs?: number;
  /** S1: for a change that depends on another world; awaited once signed in, right before each time it leaves. */
  readonly lastLook?: () => Promise<void>;
}

export interface Session {
  call<M extends MethodName>(
    method: M,
    on: Ref,
    args: Arguments<M>,
    work: Work,
    hints?: CallHints,
  ): Promise<Returned<M>>;
  content(work: Work): Promise<Vim<'ServiceContent'>>;
  /** The id of the live session, as privilege queries want it. */
  key(work: Work): Promise<string>;
  close(): Promise<void>;
}

interface Live {
  readonly channel: Channel;
  readonly content: Vim<'ServiceContent'>;
  readonly key: string;
}

const serviceInstance: Ref = { type: 'ServiceInstance', value: 'ServiceInstance' };
const loginPauseMs = 30_000;

/** The object of the service content we cannot do without. */
export function required(ref: Ref | undefined, name: string): Ref {
  if (ref) return ref;
  throw refused({
    op: 'RetrieveServiceContent',
    subject: name,
    message: `the server has no ${name}`,
    hint: 'Point the site’s url at a vCenter, not at something else.',
  });
}

/** Waits for a shared promise, but leaves it when this caller is told to stop. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', stop));
}

class VcenterSession implements Session {
  private readonly config: SessionConfig;
  private readonly stopping = new AbortController();
  private readonly timeoutMs: number;
  private channel: Promise<Channel> | undefined;
  private live: Promise<Live> | undefined;
  private refusedLogin: { readonly password: string; readonly failure: Failure; readonly until: number } | undefined;

  constructor(config: SessionConfig) {
    this.config = config;
    this.timeoutMs = config.callTimeoutMs ?? 30_000;
  }

  private options(subject: string): CallOptions {
    return { signal: this.stopping.signal, timeoutMs: this.timeoutMs, subject };
  }

  private openOnce(): Promise<Channel> {
    this.channel ??= openChannel(this.config.transport, this.config.url, this.options(this.config.url)).catch(
      (error: unknown) => {
        this.channel = undefined;
        throw error;
      },
    );
    return this.channel;
  }

  private async signIn(): Promise<Live> {
    const channel = await this.openOnce();
    const password = await this.config.password();
    const before = this.refusedLogin;
    if (before && before.password === password && Date.now() < before.until) throw before.failure;
    // A login on a live session is refused, so the old cookie goes first.
    channel.forgetCookies();
    const options = this.options(`user ${this.config.user}`);
    const content = await channel.call('RetrieveServiceContent', serviceInstance, {}, options);
    const sessions = required(content.sessionManager, 'session manager');
    try {
      const user = await channel.call('Login', sessions, { userName: this.config.user, password }, options);
      return { channel, content, key: user.key ?? '' };
    } catch (error) {
      throw this.noteRefused(error, password);
    }
  }

  /** S13: whatever the server wrote into its fault, the password does not leave this file. */
  private noteRefused(error: unknown, password: string): unknown {
    if (!(error instanceof Failure)) return error;
    const { kind, op, subject, hint } = error;
    const message = password === '' ? error.message : error.message.replaceAll(password, '***');
    const type = faultBehind(error)?.type ?? kind;
    const failure = new Failure(kind, { op, subject, hint, message, cause: new Error(type) });
    if (type === 'InvalidLogin') this.refusedLogin = { password, failure, until: Date.now() + loginPauseMs };
    return failure;
  }

  private liveOnce({ signal }: Work): Promise<Live> {
    // Who was told to stop begins no sign-in: nobody would hear that it failed, and Node ends a process for that.
    signal.throwIfAborted();
    this.stopping.signal.throwIfAborted();
    if (!this.live) {
      const live = this.signIn().catch((error: unknown) => {
        if (this.live === live) this.live = undefined;
        throw error;
      });
      this.live = live;
    }
    return this.live;
  }

  async call<M extends MethodName>(
    method: M,
    on: Ref,
    args: Arguments<M>,
    work: Work,
    hints: CallHints = {},
  ): Promise<Returned<M>> {
    const subject = hints.subject ?? on.value;
    const signal = AbortSignal.any([work.signal, this.stopping.signal]);
    for (let tries = 1; ; tries++) {
      const mine = this.liveOnce(work);
      const { channel } = await unlessAborted(mine, work.signal);
      // S1: signing in may have taken a while, and this worker may have stood still since it looked.
      await hints.lastLook?.();
      if (methodEntry(method).changes) work.mayChange();
      try {
        return await channel.call(method, on, args, { signal, subject, timeoutMs: hints.timeoutMs ?? this.timeoutMs });
      } catch (error) {
        if (methodEntry(method).changes && isNo(error)) work.changedNothing?.();
        if (faultBehind(error)?.type !== 'NotAuthenticated') throw error;
        this.sessionEnded(mine);
        if (methodEntry(method).repeat === 'never') throw error;
        if (tries === 2) throw endedTwice(method, subject);
      }
    }
  }

  /** Somebody saw that the session is dead. Only the first to say so of this session forgets it. */
  private sessionEnded(seen: Promise<Live>): void {
    if (this.live === seen) this.live = undefined;
  }

  async content(work: Work): Promise<Vim<'ServiceContent'>> {
    return (await unlessAborted(this.liveOnce(work), work.signal)).content;
  }

  async key(work: Work): Promise<string> {
    return (await unlessAborted(this.liveOnce(work), work.signal)).key;
  }

  /** A read that answered as if nothing were there because the session is dead: the next call signs in again. */
  expire(): void {
    this.live = undefined;
  }

  async close(): Promise<void> {
    const live = await this.live?.catch(() => undefined);
    this.live = undefined;
    // Signing out is a courtesy: when it fails, the session ends by itself when idle.
    if (live?.content.sessionManager)
      await live.channel
        .call('Logout', live.content.sessionManager, {}, { ...this.options('session'), timeoutMs: 5_000 })
        .catch(() => undefined);
    this.stopping.abort(
      transient({
        op: 'close',
        subject: this.config.url,
        message: 'the vCenter client was closed',
        hint: 'The worker is stopping.',
      }),
    );
    await this.config.transport.close();
  }
}

export type ReadableSession = Session & { expire(): void };

export const createSession = (config: SessionConfig): ReadableSession => new VcenterSession(config);

/** Runs a read that may find out about the dead session only in its answer; repeats it once after a new sign-in. */
export async function readTwice<T>(session: ReadableSession, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isExpired(error)) throw error;
    session.expire();
  }
  try {
    return await read();
  } catch (error) {
    throw isExpired(error) ? endedTwice(error.op, error.subject) : error;
  }
}

const isExpired = (error: unknown): error is Failure => error instanceof Failure && error.kind === 'Expired';

const endedTwice = (op: string, subject: string): Failure =>
  refused({
    op,
    subject,
    message: `${op} on ${subject}: the session ended twice in a row`,
    hint: 'Check the session limits of this vCenter account.',
  });

export const deadSession = (op: string, subject: string): Failure =>
  expired({
    op,
    subject,
    message: `${op} on ${subject}: the session has ended`,
    hint: 'Homeward signs in again by itself.',
  });
