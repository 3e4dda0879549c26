/**
 * Somebody stops the source by hand while the rounds go on, or starts it again: noticed with the next recovery point.
 * Rule: what the source had is home as of that round, so the round counts; but nobody serves, and that needs a person, unless
 * one has completed the failover already.
 */
import { ApplicationFailure, defineSignal } from '@temporalio/workflow';
import type { SourceMachine } from '../model/machine.ts';
import type { Teller } from './teller.ts';

/** The rounds tell the failback: the source was stopped by somebody (false), or runs again. */
export const sourceTurned = defineSignal<[boolean]>('sourceTurned');

/** Whether the source served when preflight looked; undefined when that was not certain. */
export const servedAtFirst = ({ power, guestOff }: SourceMachine): boolean | undefined =>
  power === 'changing' ? undefined : power === 'running' && guestOff !== true;

/** The failback's side: the status says who serves, the record since when. */
export function hearTurn(teller: Teller, serves: boolean): void {
  teller.find({ sourceIdle: !serves });
  if (serves) teller.record('source-runs-again', 'the source serves again');
  else teller.record('source-idle', 'somebody stopped the source; nobody serves');
}

/** Why the rounds stop and ask. */
export const stoppedByHand = (path: string): ApplicationFailure =>
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
