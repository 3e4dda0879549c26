/**
 * What a mover says in its heartbeats, for people and for the CLI's bars. Bytes and milliseconds. And what a worker tells
 * its story when an operator steers one of its steps in Temporal, which the story itself cannot see.
 */
/** The lowest limit a copy is under. */
export interface ProgressLimit {
  /** This mover's share. */
  readonly bytesPerSecond: number;
  /** What it is put on: `mover mover-1`, `site vcenter-home`, `link wan`. */
  readonly by: string;
  /** Whether the copy waited for it in the last seconds; else something else is slower. */
  readonly holdsBack: boolean;
  /** Present where a cutover does not wait for it. */
  readonly cutover?: 'exempt';
}

export interface TransferProgress {
  readonly disk: string;
  /** `paused` is said by who shows it: a paused attempt has ended and says nothing any more. */
  readonly stage: 'waiting' | 'listing' | 'copying' | 'proving' | 'sealing' | 'scrubbing' | 'done' | 'paused';
  /** Present at a seal, which copies nothing: all was proven before it began. Said by who shows it, too. */
  readonly seal?: true;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** What the source sent for it, which is what a limit counts; absent in reports of older releases. */
  readonly sentPerSecond?: number;
  /** Bytes the source's list names; absent until it is read. Less than `totalBytes` where zeros are written. */
  readonly listedBytes?: number;
  /**
   * Bytes that are fetched for it, which is what a limit counts: what the list names, and what lies between two changes so
   * close to each other that one request is cheaper than two. Absent until it is planned.
   */
  readonly fetchBytes?: number;
  /** The attempt's fencing epoch (S8). */
  readonly epoch: number;
  /**
   * Partly changed blocks that an earlier attempt of the round had left half written, so that more of them was brought than
   * was changed; absent while there is none.
   */
  readonly repairedBlocks?: number;
  /** Absent while no limit holds. */
  readonly limit?: ProgressLimit;
  /** Present while nobody carries it on; said by who shows it: a worker that is gone says nothing any more. */
  readonly stands?: Standing;
}

/** What a transfer waits for, or since when (ISO 8601) the mover that had it is not heard. */
export type Standing = { readonly waitsFor: 'the mover' | 'its next attempt' } | { readonly notHeardSince: string };

/** Whether nobody carries it on at the moment: then it has no rate, no end, and nothing holds it back. */
export const isStanding = ({ stage, stands }: TransferProgress): boolean => stage === 'paused' || stands !== undefined;

/** The signal by which a worker tells the workflow of a step that was paused, or that goes on. Not a message of people. */
export const steeredSignal = 'steered';

/** A step that an operator paused in Temporal (`paused`), or that goes on. */
export interface Steering {
  /** The step's activity id, unique in its workflow: `transfer-os`. */
  readonly activityId: string;
  readonly paused: boolean;
  /** Who paused it and why, as Temporal recorded it; absent where it says nothing. */
  readonly by?: string;
  readonly reason?: string;
  /** ISO 8601. */
  readonly since: string;
}

/** What is typed to let a paused step go on. */
export const unpauseCommand = (workflowId: string, activityId: string): string =>
  `temporal activity unpause -w ${workflowId} -a ${activityId}`;
