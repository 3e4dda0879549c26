/**
 * The six kinds of failure, named by what we must do about them (docs/architecture.md, "Failures").
 * Rule: every error that leaves a site, the disk engine or the configuration is a `Failure`, so that one
 * place can decide about retries. Never put a secret (SAS, token, password) into any of its fields.
 */
export const failureKinds = ['Transient', 'Expired', 'Refused', 'Corrupt', 'Fenced', 'Defect'] as const;
export type FailureKind = (typeof failureKinds)[number];

export interface FailureFacts {
  /** The operation that failed, as an SRE would name it: `snapshots.createOrUpdate`, `ReconfigVM_Task`. */
  readonly op: string;
  /** What it was done to: a machine, a disk, a path. */
  readonly subject: string;
  /** One sentence for the human: what to do now. */
  readonly hint: string;
  /** What was seen, in one sentence. */
  readonly message: string;
  /** How long the world asked us to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** True when the world answered, and said only that it has too much to do now; said also by `retryAfterMs`. */
  readonly busy?: boolean;
  /** True when the step is known to have changed nothing, neither now nor in an earlier attempt. */
  readonly untouched?: boolean;
  readonly cause?: unknown;
}

/** An error that knows its kind, its operation and what a person can do about it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly op: string;
  readonly subject: string;
  readonly hint: string;
  readonly retryAfterMs: number | undefined;
  readonly busy: boolean;
  readonly untouched: boolean;

  constructor(kind: FailureKind, facts: FailureFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.op = facts.op;
    this.subject = facts.subject;
    this.hint = facts.hint;
    this.retryAfterMs = facts.retryAfterMs;
    this.busy = facts.busy === true || facts.retryAfterMs !== undefined;
    this.untouched = facts.untouched === true;
  }

  asUntouched(): Failure {
    const { kind, op, subject, hint, message, retryAfterMs, busy, cause } = this;
    const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
    return new Failure(kind, { op, subject, hint, message, ...asked, busy, cause, untouched: true });
  }
}

/** Waiting may cure it: throttling, busy services, broken connections. Temporal retries it. */
export const transient = (facts: FailureFacts): Failure => new Failure('Transient', facts);
/** A lease of ours ran out: SAS, token, session. Cured once inside the client; twice is `Refused`. */
export const expired = (facts: FailureFacts): Failure => new Failure('Expired', facts);
/** The world says no. An operator or the undo decides; it is never retried by itself. */
export const refused = (facts: FailureFacts): Failure => new Failure('Refused', facts);
/** Bytes or lineage are not what we recorded. The disk stays open. */
export const corrupt = (facts: FailureFacts): Failure => new Failure('Corrupt', facts);
/** Someone newer owns the disk; this attempt ends quietly. */
export const fenced = (facts: FailureFacts): Failure => new Failure('Fenced', facts);
/** The op of a refusal because the source was looked for and is not there, or not as the run found it. */
export const sourceGone = 'source-gone';

/** The op of a failure because whoever was asked has no login to a machine's guest: nothing was tried or seen in it. */
export const lacksGuestLogin = 'guest-login';

/** The op of a failure because a mover has as much in hand as it takes: nothing was tried, and its turn comes. */
export const noPlaceOp = 'mover-in-hand';

/** Our own assertion does not hold. */
export const defect = (facts: FailureFacts): Failure => new Failure('Defect', facts);
