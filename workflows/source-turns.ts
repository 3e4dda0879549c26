/**
 * Somebody stops the source by hand while the rounds go on, or starts it again: noticed with the next recovery point.
 * Rule: what the source had is home as of that round, so the round counts; but nobody serves, and that needs a person, unless
 * one has completed the failover already.
 */
import { ApplicationFailure, defineSignal } from '@temporalio/workflow';
import type { RecoveryPoint, SourceMachine } from '../model/machine.ts';
import { isOpen, noOutage } from '../model/outage.ts';
import type { Teller } from './teller.ts';

/** The rounds tell the failback: the source was stopped by somebody (false), or runs again. */
export const sourceTurned = defineSignal<[boolean]>('sourceTurned');

/** Whether the source served when preflight looked; undefined when that was not certain. */
export const servedAtFirst = ({ power, guestOff }: SourceMachine): boolean | undefined =>
  power === 'changing' ? undefined : power === 'running' && guestOff !== true;

/** S5: behind a stop the source serves: an outage that it was seen off in is over, any other was none. */
export function servesBehindStop(teller: Teller): void {
  const { sourceIdle, sourceUndo } = teller.findings;
  if (sourceIdle && sourceUndo === 'start') teller.outageEnds();
  else teller.find(noOutage(teller.findings));
  teller.find({ sourceIdle: false });
}

/** The failback's side: the status says who serves, the record since when. */
export function hearTurn(teller: Teller, serves: boolean): void {
  if (serves) {
    servesBehindStop(teller);
    teller.record('source-runs-again', 'the source serves again');
    return;
  }
  const { outage, sourceUndo } = teller.findings;
  teller.find({ sourceIdle: true });
  // A stop of ours that was not heard of went through: nobody else has stopped it.
  if (isOpen(outage)) return;
  const who = sourceUndo ? 'somebody, or a stop of ours that had failed, has stopped' : 'somebody stopped';
  teller.record('source-idle', `${who} the source; nobody serves`);
}

export interface ServingKnown {
  /** Whether the source served when it was seen last; absent when that is not known. */
  readonly sourceServes?: boolean | undefined;
  /** Somebody stopped it, and no person was called for that yet. */
  readonly sourceStopped?: true;
}

/** The rounds' side: whether the source serves, as each recovery point saw it. */
export class Serving {
  private serves: boolean | undefined;
  /** Somebody stopped it, and no person was called for that yet. */
  private stopped: boolean;
  private readonly tell: (serves: boolean) => Promise<void>;

  constructor({ sourceServes, sourceStopped }: ServingKnown, tell: (serves: boolean) => Promise<void>) {
    this.serves = sourceServes;
    this.stopped = sourceStopped === true;
    this.tell = tell;
  }

  /** What the next rounds begin with, also after these have failed for another reason. */
  known(): ServingKnown {
    if (this.serves === undefined) return {};
    return { sourceServes: this.serves, ...(this.stopped ? { sourceStopped: true } : {}) };
  }

  /** Tells a turn as soon as it is seen, because a seed may take a day. */
  async see({ sourceServed: now }: Pick<RecoveryPoint, 'sourceServed'>): Promise<void> {
    if (now === undefined) return;
    const before = this.serves;
    this.serves = now;
    if (before === undefined || before === now) return;
    this.stopped = !now;
    await this.tell(now);
  }

  /** At the end of a round, which counts: throws once after the source was stopped. `completed`: a person wants it stopped. */
  assertServes(path: string, completed: boolean): void {
    if (!this.stopped || completed) return;
    this.stopped = false;
    throw stoppedByHand(path);
  }
}

/** Why the rounds stop and ask. */
const stoppedByHand = (path: string): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'Refused',
    nonRetryable: true,
    message: `${path} was stopped by somebody since the last round, so nobody serves`,
    details: [
      {
        op: 'source-stopped',
        subject: path,
        hint: 'If it should serve, start it again in Azure. If it should come home as it is, complete the failover. Then resolve with retry; the rounds go on either way.',
      },
    ],
  });
