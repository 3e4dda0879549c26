/**
 * What a run writes on the target machine (extraConfig) before it touches a disk, and how it is read again.
 * Rule: the record of the originals is written before anything is unplugged and goes only when they hang in their slots
 * again or the commit is done (S4, S11). States: recorded (nothing unplugged yet), open, sealed (their seal was begun, so that
 * they may be whole; not given back, or not to be started any more), returned (sealed and plugged in).
 */
import { z } from 'zod';
import type { WriteWay } from '../../model/machine.ts';
import { parseJson } from './parse-json.ts';
import { proofKey } from './proof-mark.ts';
import type { Vim } from './wire/shapes.ts';

const states = ['recorded', 'open', 'sealed', 'returned'] as const;
export type MarkState = (typeof states)[number];

const original = z.object({
  slot: z.string(),
  file: z.string(),
  sizeBytes: z.number(),
  uuid: z.string(),
  diskMode: z.string(),
  controllerKey: z.number(),
  unit: z.number(),
});
export type Original = z.infer<typeof original>;

export interface Mark {
  readonly run: string;
  /** The inventory path under which the run knows the machine, so that it is found again when somebody moved it. */
  readonly path: string;
  readonly state: MarkState;
  readonly way: WriteWay;
  readonly originals: readonly Original[];
  /** Staged: the new disks' files, in the order of `originals`. Created: those of a machine that has no originals. */
  readonly staged: readonly string[];
  /** How often the sealed disks were taken off the machine again, to be taken to another point. */
  readonly uses: number;
  /** Keys of this mark that are set now, whatever they say. How a proof is put back is a mark of its own (proof-mark.ts). */
  readonly keys: readonly string[];
}

/** As a run writes it first. */
export type NewMark = Omit<Mark, 'keys' | 'uses'>;

export type Option = Vim<'OptionValue'> & { readonly key: string; readonly value: string };

const prefix = 'homeward.';
const ways: Readonly<Record<string, WriteWay>> = { staged: 'staged', created: 'created' };

/** Undefined when the machine carries no mark of ours. An unreadable mark counts as open: nobody starts such a machine. */
export function readMark(extraConfig: readonly Vim<'OptionValue'>[]): Mark | undefined {
  const values = new Map<string, string>();
  for (const { key, value } of extraConfig)
    if (key?.startsWith(prefix) && key !== proofKey && value !== undefined && value !== '')
      values.set(key.slice(prefix.length), String(value));
  if (values.size === 0) return undefined;
  const numbered = (name: string): string[] =>
    [...values.keys()]
      .filter((key) => key.startsWith(`${name}.`))
      .sort((one, other) => Number(one.slice(name.length + 1)) - Number(other.slice(name.length + 1)))
      .map((key) => values.get(key) ?? '');
  const originals = numbered('original').map((text) => original.safeParse(parseJson(text)).data);
  const state = values.get('state') ?? '';
  return {
    run: values.get('run') ?? 'unknown',
    path: values.get('path') ?? '',
    state: states.find((one) => one === state) ?? 'open',
    way: ways[values.get('way') ?? ''] ?? 'in-place',
    originals: originals.filter((one) => one !== undefined),
    staged: numbered('staged'),
    uses: Number(values.get('uses') ?? 0),
    keys: [...values.keys()].map((key) => prefix + key),
  };
}

const option = (name: string, value: string): Option => ({
  key: name.startsWith(prefix) ? name : prefix + name,
  value,
});

export const stateOption = (state: MarkState): Option => option('state', state);

export const usesOption = (uses: number): Option => option('uses', String(uses));

export const originalOptions = (originals: readonly Original[]): Option[] =>
  originals.map((one, at) => option(`original.${at}`, JSON.stringify(one)));

/** The options that write this mark; keys of an older mark that it does not use are emptied, which removes them. */
export function markOptions(mark: NewMark, before: Mark | undefined): Option[] {
  const written = [
    option('run', mark.run),
    option('path', mark.path),
    option('state', mark.state),
    option('way', mark.way),
    ...originalOptions(mark.originals),
    ...mark.staged.map((file, at) => option(`staged.${at}`, file)),
  ];
  const kept = new Set(written.map((one) => one.key));
  return [...written, ...(before?.keys ?? []).filter((key) => !kept.has(key)).map((key) => option(key, ''))];
}

export const unmarkOptions = (mark: Mark): Option[] => mark.keys.map((key) => option(key, ''));

/** Whether the machine's disks are with a run, half written or whole: it must not be started (S4). */
export const isOpen = (mark: Mark | undefined): mark is Mark => mark !== undefined && mark.state !== 'returned';
