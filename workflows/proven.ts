/**
 * What an arrival begins with, and what holds for all arrivals of a run together. Types alone.
 */
import type { RecoveryPoint } from '../model/machine.ts';
import type { ApplicationPoint } from '../model/point.ts';
import type { Way } from './departure.ts';
import type { Sealable } from './sealing.ts';

/** Disks that are proven, and the moments they can be taken to. */
export interface Proven extends Sealable {
  readonly way: Way;
  readonly final: RecoveryPoint;
  /** The application-consistent point that could be chosen; absent where there is none. */
  readonly applied?: ApplicationPoint | undefined;
}

/** What holds for all arrivals of a run together. */
export interface Standing {
  /** The sealed disks may hang on the target machine. */
  returned: boolean;
  /** They were seen in their slots there since they were proven last. */
  seenReturned?: boolean;
  /** The source is watched. */
  watched?: boolean;
}
