/**
 * The ways a command can fail, each with its exit code and a sentence that says what to do.
 * Rule: everything a person sees goes through `explain`; never a stack trace, never a secret (S13).
 */
import { Failure } from '../model/failure.ts';

export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  'not-found': 5,
  'already-running': 6,
  /** 128 + SIGINT, as a shell says it. */
  interrupted: 130,
} as const;
export type ProblemKind = Exclude<keyof typeof exitCodes, 'ok'>;

/** For `--help` and docs/operate.md. */
export const exitCodeMeaning: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  unexpected: 'something went wrong that should not',
  usage: 'wrong command line, or homeward.yaml has problems',
  refused: 'the run refused the message, the preflight blocks, the machine is home already, or nobody confirmed',
  unreachable: 'Temporal, or a worker, does not answer',
  'not-found': 'no such machine, or no such run of it, or its run has ended',
  'already-running': 'a run of this machine is under way',
  interrupted: 'Ctrl-C: the watching ended, or nothing was sent',
};

/** An ending that a person can do something about. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly kind: ProblemKind;
  /** What to do, one sentence. */
  readonly todo: string;

  constructor(kind: ProblemKind, what: string, todo: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.todo = todo;
  }
}

export interface Explanation {
  readonly kind: ProblemKind;
  readonly what: string;
  readonly todo: string;
}

/** Any error as what happened and what to do. */
export function explain(error: unknown): Explanation {
  if (error instanceof Problem) return { kind: error.kind, what: error.message, todo: error.todo };
  if (error instanceof Failure) {
    // Outside the workers only the configuration fails this way.
    return { kind: error.kind === 'Defect' ? 'unexpected' : 'usage', what: error.message, todo: error.hint };
  }
  const what = error instanceof Error ? error.message : String(error);
  return { kind: 'unexpected', what, todo: 'Set HOMEWARD_DEBUG=1 to see where it came from, and report it.' };
}
