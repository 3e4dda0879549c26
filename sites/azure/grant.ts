/**
 * The lease on reading one moment of a disk: a SAS that is obtained here, renewed here and revoked here.
 * Rule: a SAS never leaves this process: it is not in any error, log, heartbeat or returned value (S13); it sits in a
 * private field that neither JSON nor inspection shows.
 * A second attempt for the same moment may overlap an older one: each revokes the other's SAS once and renews on the
 * 403. That is acceptable, because the fence on the target disk (S8) ends the older attempt, not this lease.
 */
import { untilAborted } from '../../disk/attempts.ts';
import { corrupt, type Failure, refused, transient } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { ReadablePoint } from './readable-point.ts';

/** Renewed when this part of its life is over, so that no read meets the end. */
const renewAfter = 0.8;
/**
 * L1: how long one may take, what goes before it is taken back included. Azure needs half a minute at most; an attempt that
 * ends after this was in vain (activities/vain.ts), so that a row of them asks a person.
 */
export const grantWithinMs = 5 * 60_000;
/** Giving a grant back must not hang on a worker that is told to stop. */
const closeWithinMs = 20_000;

/** What it is read as: the point itself, or one that its changes are counted from. */
export type Role = 'point' | 'base';

/** A moment as it was recorded. */
export interface Leased {
  readonly of: ReadablePoint;
  readonly identity: string;
  readonly role: Role;
}

/** How long each SAS lives, in seconds, and how long Azure may take for it, in milliseconds. */
export interface GrantTimes {
  readonly seconds: number;
  readonly withinMs: number;
}

/** A SAS and which one of the lease's it is. `url` is a secret. */
export interface Sas {
  readonly url: URL;
  readonly serial: number;
}

export interface SnapshotLease {
  /** Name of the snapshot, for messages. */
  readonly name: string;
  /** The SAS to use now; a new one when the last is near its end or refused, which may take minutes. */
  sas(): Promise<Sas>;
  /** The same, begun now, when it is to be waited for; else undefined. */
  waitsFor(): Promise<Sas> | undefined;
  /** To be called when the service refused `serial`; concurrent callers share one renewal. */
  renew(serial: number): Promise<void>;
  /** Revokes. Safe twice; does not throw: what it could not revoke is revoked when the snapshot is released. */
  close(): Promise<void>;
}

export class Lease implements SnapshotLease {
  readonly #of: ReadablePoint;
  readonly #role: Role;
  readonly #times: GrantTimes;
  readonly #identity: string;
  #work: Work;
  #asked = false;
  #sas: Sas | undefined;
  #endsAt = 0;
  #renewing: Promise<void> | undefined;
  #closed = false;

  /** `work` is that of the whole attempt, not of one read: a renewal serves all readers. */
  constructor({ of, identity, role }: Leased, times: GrantTimes, work: Work) {
    this.#of = of;
    this.#times = times;
    this.#identity = identity;
    this.#role = role;
    this.#work = work;
  }

  get name(): string {
    return this.#of.name;
  }

  /** Another attempt goes on with it: from now on renewals are its. */
  serve(work: Work): void {
    this.#work = work;
  }

  async sas(): Promise<Sas> {
    if (this.#spent()) await this.renew(this.#sas?.serial ?? 0);
    if (this.#sas !== undefined) return this.#sas;
    throw closedLease(this.name);
  }

  waitsFor(): Promise<Sas> | undefined {
    return this.#spent() ? this.sas() : undefined;
  }

  /** While it is renewed the live one is on its way back. */
  #spent(): boolean {
    return this.#sas === undefined || Date.now() >= this.#endsAt || this.#renewing !== undefined;
  }

  async renew(serial: number): Promise<void> {
    if (this.#closed) throw closedLease(this.name);
    if (serial !== (this.#sas?.serial ?? 0)) return;
    if (this.#renewing === undefined) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(this.#tooLate()), this.#times.withinMs);
      this.#renewing = this.#obtain(serial, late.signal).finally(() => {
        clearTimeout(timer);
        this.#renewing = undefined;
      });
    }
    // L7: Azure's answer is not let go of (S11: `close` waits for it), but who was told to stop does not wait.
    await untilAborted(this.#renewing, this.#work.signal);
  }

  #until(late: AbortSignal): Work {
    return { ...this.#work, signal: AbortSignal.any([this.#work.signal, late]) };
  }

  /** `late` ends the waiting for Azure with its reason. What Azure grants after that is taken back by `close`, or with the point. */
  async #obtain(serial: number, late: AbortSignal): Promise<void> {
    const work = this.#until(late);
    const startedAt = Date.now();
    const seen = await this.#of.look(work);
    if (seen === undefined || seen.identity !== this.#identity) throw this.#vanished();
    // A process that died left its SAS behind, or ours is ending. Azure does not promise what a second grant on top
    // of a live one does, so the live one always goes first.
    if (seen.mayBeOpen) await this.#of.revoke(work);
    this.#asked = true;
    const url = await this.#grant(late);
    this.#sas = { url, serial: serial + 1 };
    this.#endsAt = startedAt + this.#times.seconds * 1_000 * renewAfter;
  }

  async #grant(late: AbortSignal): Promise<URL> {
    const work = this.#until(late);
    try {
      return await this.#beginAccess(work);
    } catch (error) {
      work.signal.throwIfAborted();
      // An overlapping attempt was granted access between our look and our call.
      const seen = await this.#of.look(work);
      if (!seen?.mayBeOpen) throw error;
      await this.#of.revoke(work);
      return this.#beginAccess(work);
    }
  }

  async #beginAccess(work: Work): Promise<URL> {
    const { accessSAS } = await this.#of.grant(this.#times.seconds, work, () => this.#vanished());
    const url = accessSAS !== undefined && URL.canParse(accessSAS) ? new URL(accessSAS) : undefined;
    if (url?.protocol === 'https:') return url;
    throw refused({
      op: 'beginGetAccess',
      subject: this.name,
      message: `Azure granted access to ${this.name} without a usable https address`,
      hint: 'Check networkAccessPolicy of the snapshot or disk restore point and the site’s endpoint.',
    });
  }

  #tooLate(): Failure {
    const minutes = Math.round(this.#times.withinMs / 60_000);
    return transient({
      op: 'beginGetAccess',
      subject: this.name,
      message: `Azure has not given access to ${this.name} within ${minutes} minutes`,
      hint: 'Homeward asks again. If it stays so, look in the Azure portal at the activity log of the snapshot or restore point, and at Azure’s service health.',
    });
  }

  #vanished(): Failure {
    return lost(this.#role, this.name, 'is gone or was made anew while it was read');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A renewal on its way would leave a new SAS behind us.
    await this.#renewing?.catch(() => undefined);
    this.#sas = undefined;
    // Asked counts, not answered: the grant may exist although its answer was lost.
    if (!this.#asked) return;
    // Also late: a newer attempt that loses its grant by this makes itself another. Its time begins here, for Azure may have
    // taken longer than that to grant.
    const signal = AbortSignal.timeout(closeWithinMs);
    const work: Work = { signal, report: () => undefined, mayChange: () => undefined };
    // Tried twice; a SAS that stays ends by itself, and releasing the snapshot revokes it in any case (S11).
    for (let tries = 0; tries < 2; tries++) {
      const done = await this.#of.revoke(work).then(
        () => true,
        () => false,
      );
      if (done) return;
    }
  }
}

/** For a snapshot that is not what was recorded; only for a base does a full transfer help (S9). */
export const lost = (role: Role, subject: string, seen: string): Failure =>
  corrupt({
    op: role === 'base' ? 'lineage' : 'open a recovery point',
    subject,
    message: `snapshot ${subject} ${seen}`,
    hint:
      role === 'base'
        ? 'The delta cannot be trusted: this disk needs a full copy.'
        : 'Look in Azure who deletes or makes our snapshots; then resolve with retry, or undo and start again.',
  });

const closedLease = (name: string): Failure =>
  refused({
    op: 'snapshots.beginGetAccess',
    subject: name,
    message: `the lease on ${name} was already given back`,
    hint: 'This attempt ended; a newer one reads the snapshot.',
  });
