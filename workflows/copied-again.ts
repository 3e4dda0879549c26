/**
 * A disk whose changes cannot be applied any more, so that it is copied in full again.
 * Rule (S3, S12): it is in the record, with why, before the copy begins: that may take hours in which nobody serves, and who
 * else wrote to the disk is a person's to find out.
 */
import type { DiskKey } from '../model/machine.ts';
import type { Teller } from './teller.ts';
import { troubleOf } from './trouble.ts';

export interface CopiedAgain {
  readonly disk: DiskKey;
  readonly because: string;
  readonly hint: string;
}

export function copiedAgain(disk: DiskKey, error: unknown): CopiedAgain {
  const { message, hint } = troubleOf(error, '');
  return { disk, because: message, hint };
}

export const recordCopiedAgain = (teller: Pick<Teller, 'record'>, { disk, ...why }: CopiedAgain): void =>
  teller.record(
    `copied-again/${disk}`,
    'its changes cannot be applied to the disk, which is copied in full again',
    why,
  );
