/**
 * What a run is begun with, in full: direction, sides, mover, datastore, policy; what nobody chose is said to be the default.
 * Rule (S000-25): nothing that decides where bytes go is left for a person to find out afterwards.
 */
import type { FailbackInput } from '../../model/failback-input.ts';
import { plain } from './paint.ts';

export interface StartInputs {
  readonly direction: string;
  readonly source: string;
  readonly target: string;
  readonly location: 'original' | 'alternate';
  readonly mover: string;
  readonly datastore: string;
  readonly policy: string;
  readonly sync: FailbackInput['policy']['sync'];
  readonly write: FailbackInput['policy']['write'] | 'created';
}

/** `policy`: the name of the machine's policy in the inventory. */
export function inputsOf(input: FailbackInput, policy: string): StartInputs {
  const { source, target, mover, create, disks } = input;
  const named = [...new Set(Object.values(disks ?? {}).map((file) => /^\[([^\]]+)\]/.exec(file)?.[1] ?? file))];
  const original = named.length > 0 ? named.join(', ') : 'where the disks of the target lie (default)';
  return {
    direction: `${source.site} to ${target.site}: from the recovery site back home`,
    source: `${source.site} ${source.path}`,
    target: `${target.site} ${target.path}`,
    location: create ? 'alternate' : 'original',
    mover: `${mover.name} ${mover.path}`,
    datastore: create?.datastore ?? original,
    policy: policy === 'default' ? 'default (nobody chose another)' : policy,
    sync: input.policy.sync,
    write: create ? 'created' : input.policy.write,
  };
}

const titles: Readonly<Record<keyof StartInputs, string>> = {
  direction: 'direction',
  source: 'from',
  target: 'to',
  location: 'location',
  mover: 'mover',
  datastore: 'datastore',
  policy: 'policy',
  sync: 'sync',
  write: 'write',
};
const width = 11;

export const inputsText = (inputs: StartInputs): string =>
  Object.entries(titles)
    .map(([key, title]) => `  ${title.padEnd(width)}${plain(inputs[key as keyof StartInputs])}`)
    .join('\n');
