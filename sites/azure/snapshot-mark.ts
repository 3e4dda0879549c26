/**
 * How our snapshots are named and marked, so that a second try finds the first one's work and nobody else's is touched.
 * Rule: the name is a function of machine, run, disk and number; ownership is decided by the tags alone (S2, S11).
 */
import { createHash } from 'node:crypto';
import type { RestorePointCollection, Snapshot } from '@azure/arm-compute';
import type { DiskKey } from '../../model/machine.ts';

/** Whose points they are. */
export interface PointOwner {
  readonly run: string;
  readonly machine: string;
}

export interface Mark extends PointOwner {
  readonly disk: DiskKey;
  readonly number: number;
  readonly final: boolean;
  /** Of a final point: since when the machine was stopped as it was taken. */
  readonly stoppedSince?: string | undefined;
}

/** Azure allows 80 characters for a snapshot's name. */
const longestName = 80;

const short = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

/**
 * `homeward-<machine>-<run>-<disk>-<number>`, and `-final` behind a final one: a round of its number may have failed
 * and left its snapshots. The run stands as 8 hex digits of its hash, because the run ids of Temporal begin with the
 * time and those of one minute share their first digits. A long machine name is cut and keeps its identity by a hash.
 */
export const snapshotName = ({ disk, number, final, ...owner }: Mark): string =>
  named(owner, `-${disk}-${number}${final ? '-final' : ''}`);

/** A run in few letters; its own first ones are those of the minute. */
export const shortRun = (run: string): string => short(run, 8);

/** The collection of a run's VM restore points, and a restore point in it: that of the moment after round `number`. */
export const collectionName = (owner: PointOwner): string => named(owner, '');
export const restorePointName = (owner: PointOwner, number: number): string => named(owner, `-application-${number}`);

function named({ machine, run }: PointOwner, rest: string): string {
  const end = `-${shortRun(run)}${rest}`;
  const room = longestName - 'homeward-'.length - end.length;
  const name = machine.length <= room ? machine : `${machine.slice(0, room - 9)}-${short(machine, 8)}`;
  return `homeward-${name}${end}`;
}

export const ownerTags = ({ run, machine }: PointOwner): Record<string, string> => ({
  'homeward-run': run,
  'homeward-machine': machine,
});

/** Whose collection it is; undefined when it is not ours. Restore points carry no tags: they are ours by it. */
export function markOfCollection({ tags }: RestorePointCollection): PointOwner | undefined {
  const { 'homeward-run': run, 'homeward-machine': machine } = tags ?? {};
  return run && machine ? { run, machine } : undefined;
}

/** The number of a restore point of ours, by its name. */
export const numberOfRestorePoint = (name: string): number =>
  Number(/-application-(\d+)$/.exec(name)?.[1] ?? Number.NaN);

export const markTags = (mark: Mark): Record<string, string> => ({
  ...ownerTags(mark),
  'homeward-disk': mark.disk,
  'homeward-point': String(mark.number),
  'homeward-final': String(mark.final),
  ...(mark.stoppedSince === undefined ? {} : { 'homeward-stopped-since': mark.stoppedSince }),
});

/** The mark a snapshot carries; undefined when it is not ours. */
export function markOf({ tags }: Snapshot): Mark | undefined {
  const { 'homeward-run': run, 'homeward-machine': machine, 'homeward-disk': disk } = tags ?? {};
  const number = Number(tags?.['homeward-point'] ?? Number.NaN);
  if (!run || !machine || !disk || !Number.isSafeInteger(number)) return undefined;
  return {
    run,
    machine,
    disk,
    number,
    final: tags?.['homeward-final'] === 'true',
    stoppedSince: tags?.['homeward-stopped-since'],
  };
}

/** Whether both are of the same point; since when the machine was stopped is no part of that. */
export const sameMark = (one: Mark, other: Mark): boolean =>
  one.run === other.run &&
  one.machine === other.machine &&
  one.disk === other.disk &&
  one.number === other.number &&
  one.final === other.final;
