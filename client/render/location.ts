/**
 * Says in words where a machine comes home to: to the machine it was, or to a new one at another place.
 * Rule (S000-18): the choice is said at the start and before the cutover, so that nobody finds it out afterwards.
 */

import type { FailbackInput } from '../../model/failback-input.ts';
import { computeOf } from '../../model/new-place.ts';
import { nicWords } from '../../model/nic-plan.ts';
import type { Status } from '../../model/status.ts';
import { plain } from './paint.ts';

/** For a run that begins. */
export const locationText = (input: Pick<FailbackInput, 'target' | 'create'>): string =>
  `Location: ${locationWords(input)}`;

export function locationWords({ target, create }: Pick<FailbackInput, 'target' | 'create'>): string {
  const place = `${plain(target.site)} ${plain(target.path)}`;
  if (!create) return `the original one; the machine at ${place} is written and started again.`;
  const on = `${plain(computeOf(create) ?? '')}, datastore ${plain(create.datastore)}`;
  return `an alternate one; a new machine is made at ${place}, on ${on}.`;
}

/** For a run under way, in a few words. */
export const locationOf = ({ write, creation }: Status): string =>
  write === 'created'
    ? `alternate: a new machine${creation ? ` on ${plain(creation.compute)}, datastore ${plain(creation.datastore)}` : ''}`
    : 'original: the machine that was there before';

/** The plan of the networks, MACs and addresses of a new machine; empty for the original one. */
export const networkLines = ({ creation }: Status): string[] =>
  (creation?.nics ?? []).map((nic) => plain(nicWords(nic)));
