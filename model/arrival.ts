/**
 * What is seen of a machine on its way in: scripts that ran in its guest, probes, the proof on the isolated network.
 * Rule: plain values for the history and the record; outputs are cut to their tail, and nobody asks for a secret here (S13).
 */

/** Where a script runs: in the source before its stop, or in the machine at home. */
export type GuestSide = 'source' | 'target';

/** One try of a script. */
export interface GuestScript {
  /** Names this very try within the run, `drain-1`: letters, digits and dashes. */
  readonly key: string;
  readonly script: string;
  readonly shell: 'sh' | 'powershell';
  readonly timeoutSeconds: number;
  /** The machine as the inventory calls it: workers find its login by it. */
  readonly machine: string;
}

export interface AgentState {
  readonly ready: boolean;
  /** As the world words it. */
  readonly seen: string;
}

/** What a script's try ended with when it was stopped for taking too long, as `timeout` has it. */
export const timedOutCode = 124;

/** How one try of a script ended. */
export interface StepRun {
  readonly exitCode: number;
  /** The end of what it wrote to stdout and stderr; empty when it wrote nothing. */
  readonly output: string;
  /** Why there is no output, or only a part; absent when all is well. */
  readonly outputProblem?: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** What became of a step of the policy, in the status and in the record. */
export interface StepFact {
  readonly name: string;
  readonly side: GuestSide;
  readonly ended: 'done' | 'failed' | 'not-run';
  readonly critical: boolean;
  readonly tries: number;
  /** One sentence: the exit code, or why it did not run. */
  readonly seen: string;
  readonly output?: string;
  readonly at: string;
}

/** One look, or a row of looks that ended with this one. */
export interface ProbeFact {
  readonly name: string;
  readonly kind: string;
  readonly passed: boolean;
  /** What was seen, one sentence. */
  readonly seen: string;
  readonly at: string;
  readonly looks: number;
}

/** What waits for the probes to hold. */
export interface SoakFact {
  readonly since: string;
  /** When a commit that was approved beforehand follows, if they hold; absent when it only guards a rollback. */
  readonly until?: string;
  readonly approvedBy?: string;
  /** `off`: a probe failed, so what was approved beforehand counts no more; a person decides. */
  readonly state: 'holds' | 'off';
}

export interface ArrivalFacts {
  readonly steps: readonly StepFact[];
  readonly probes: readonly ProbeFact[];
  /** The boot on the isolated network: proven, or how far it is. */
  readonly proof?: { readonly state: 'under-way' | 'proven'; readonly at: string };
  readonly soak?: SoakFact;
  /** The final snapshots stay until then, and the workflow that deletes them. */
  readonly kept?: { readonly snapshots: readonly string[]; readonly until: string; readonly workflow: string };
}

export const nothingArrived: ArrivalFacts = { steps: [], probes: [] };

/** How much of an output is kept, in characters; it goes through the history and into the record. */
export const outputKept = 2_000;

/** How much of a failed script is shown under it. */
const shownLines = 5;
const shownWidth = 200;
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-?]*[ -/]*[@-~]`, 'g');

/** The last lines that a script which failed wrote, safe to show: it may have written anything. Empty when all went well. */
export const lastWords = ({ ended, output = '' }: StepFact): string[] =>
  ended === 'done'
    ? []
    : output
        .split('\n')
        .map((line) =>
          line
            .replace(escapes, '')
            .replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
            .trim(),
        )
        .filter((line) => line !== '')
        .slice(-shownLines)
        .map((line) => (line.length <= shownWidth ? line : `${line.slice(0, shownWidth)}…`));

/** The end of a text, which is where scripts say how it went. */
export const tailOf = (text: string, kept = outputKept): string =>
  text.length <= kept ? text : `… ${text.slice(text.length - kept)}`;

/**
 * What waits for the probes to hold, where it still does: a count that a hold or an operator's call interrupted begins anew,
 * and after the commit, or on the way back, nothing is waited for.
 */
export function soakIn(status: {
  readonly phase: string;
  readonly held?: unknown;
  readonly cancellation?: unknown;
  readonly commitment?: unknown;
  readonly arrival?: ArrivalFacts;
}): SoakFact | undefined {
  const { phase, held, cancellation, commitment, arrival } = status;
  if (phase !== 'AwaitingCommit' || cancellation || commitment) return undefined;
  return held && arrival?.soak?.state === 'holds' ? undefined : arrival?.soak;
}
