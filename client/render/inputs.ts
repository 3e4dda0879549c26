/**
 * What a run is begun with, in full: direction, sides, mover, datastore, policy; what nobody chose is said to be the default.
 * Rule (S000-25): nothing that decides where bytes go is left for a person to find out afterwards.
 */
import { type AgreedWords, agreedIn, agreedWords } from '../../model/agreed.ts';
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
  /** What the policy does without asking again; absent where it does nothing so. */
  readonly agreed?: readonly AgreedWords[];
}

/** `policy`: the name of the machine's policy in the inventory. */
export function inputsOf(input: FailbackInput, policy: string): StartInputs {
  const { source, target, mover, create, disks } = input;
  const named = [...new Set(Object.values(disks ?? {}).map((file) => /^\[([^\]]+)\]/.exec(file)?.[1] ?? file))];
  const agreed = agreedWords(agreedIn(input.policy));
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
    ...(agreed.length > 0 ? { agreed } : {}),
  };
}

const titles: Readonly<Record<Exclude<keyof StartInputs, 'agreed'>, string>> = {
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

const lineOf = (title: string, text: string): string => `  ${title.padEnd(width)}${plain(text)}`;

export const inputsText = ({ agreed = [], ...inputs }: StartInputs): string =>
  [
    ...Object.entries(titles).map(([key, title]) => lineOf(title, inputs[key as keyof typeof titles])),
    ...agreed.map(({ title, text }) => lineOf(title, text)),
  ].join('\n');
