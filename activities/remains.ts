/**
 * What is asked for when somebody wants to know what of a machine, and of ours, still exists in the source.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import type { SourceMachine } from '../model/machine.ts';
import { takesApplicationPoints } from '../model/point-policy.ts';
import type { RemainsRequest } from '../sites/source.ts';

export interface RemainsInput {
  readonly failback: FailbackInput;
  readonly run: string;
  /** The source as it was found. */
  readonly found: SourceMachine;
}

export const remainsRequest = ({ failback, run, found }: RemainsInput): RemainsRequest => ({
  path: failback.source.path,
  run,
  machine: failback.machine,
  disks: found.disks,
  nics: found.nics,
  applicationPoints: takesApplicationPoints(failback.policy),
});
