/**
 * How both worlds stand at one moment, so that a test can show that nothing was changed: the whole of what the two
 * simulators tell of themselves, and the effects the witness was told of.
 * Rule: only what moves by itself is left out: the counters of guests that go on writing.
 */
import { z } from 'zod';
import { knock } from '../../lab/control-door.ts';
import type { Lab } from '../../lab/lab.ts';

const azureState = z.looseObject({ vms: z.array(z.looseObject({ guest: z.unknown().optional() })) });

/** Sends a word to a control door, as an outside actor or the weather would. */
export const tell = (url: string, body: object): Promise<unknown> => knock(url, body);

export interface Stand {
  readonly azure: unknown;
  readonly vcenter: unknown;
  /** How many effects the witness has judged. */
  readonly effects: number;
}

export async function standOf({ azure, vcenter, witness }: Pick<Lab, 'azure' | 'vcenter' | 'witness'>): Promise<Stand> {
  await witness.quiet();
  const [ours, theirs] = await Promise.all([knock(`${azure.control}/state`), knock(`${vcenter.control}/state`)]);
  const seen = azureState.parse(ours);
  return {
    azure: { ...seen, vms: seen.vms.map(({ guest: _counts, ...vm }) => vm) },
    vcenter: theirs,
    effects: witness.effects().length,
  };
}
