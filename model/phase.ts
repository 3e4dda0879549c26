/**
 * THE LAW, part one: the phases of a failback as one table. The workflow's assertions, the status answer,
 * the CLI's picture, docs/phases.md and the property tests all read it; nobody else compares phase names.
 * Rule: a phase that is not in this table cannot be entered, and only from the phases that name it.
 */
export const phases = [
  'Preflight',
  'Seeding',
  'Syncing',
  'AwaitingCutover',
  'StoppingSource',
  'FinalSync',
  'Sealing',
  'StartingTarget',
  'AwaitingCommit',
  'ChangingPoint',
  'Committing',
  'Committed',
  'Undoing',
  'ReturnedToSource',
  'NeedsOperator',
] as const;
export type Phase = (typeof phases)[number];

export type Gate = 'completeFailover' | 'commit';

export interface PhaseRule {
  /** Who serves the users while the phase lasts, in words. */
  readonly serves: string;
  /** What state the target disks are in, in words. */
  readonly targetDisks: string;
  /** The gate that is open, when the phase waits for a person. */
  readonly gate?: Gate;
  /** What an accepted cancel does: end at once, undo, or nothing (refused). `loss`: undo, but only with the explicit flag. */
  readonly cancel: 'end' | 'undo' | 'loss' | 'none';
  /** Whether hold and resume are taken: never inside the cutover, where waiting is outage. */
  readonly holdable: boolean;
  /** Whether *complete failover* is taken: at once, kept for the gate to come (C16), or not. */
  readonly complete: 'now' | 'queued' | 'no';
  /**
   * Whether a person may leave out a step that cannot be done any more (L6): of the undo, of the clean-up after the
   * commit, and at the gate the watch over the source, which may be left out in other phases too (`Trouble.watch`).
   */
  readonly skippable?: true;
  /**
   * What *reassign* does: changes the mover before it has anything, takes the disks to the other one, or nothing
   * (refused): from the seal on only the mover that wrote the disks can prove them.
   */
  readonly reassign: 'at-once' | 'moves-disks' | 'no';
  /** Whether *change point* is taken: at once, or only as the answer to a call for an operator; absent: not. */
  readonly changePoint?: 'now' | 'answer';
  /** The way to the end comes first. */
  readonly next: readonly Phase[];
  /** What an SRE should know when the run stands here, one sentence. */
  readonly says: string;
}

export const phaseTable: Readonly<Record<Phase, PhaseRule>> = {
  Preflight: {
    serves: 'as found',
    targetDisks: 'as found',
    cancel: 'end',
    holdable: true,
    complete: 'no',
    reassign: 'at-once',
    next: ['Seeding', 'AwaitingCutover'],
    says: 'Asks both sides whether the way home is clear. Nothing has been changed.',
  },
  Seeding: {
    serves: 'source',
    targetDisks: 'open',
    cancel: 'undo',
    holdable: true,
    complete: 'queued',
    reassign: 'moves-disks',
    next: ['Syncing'],
    says: 'Copies every disk home for the first time while the source runs.',
  },
  Syncing: {
    serves: 'source',
    targetDisks: 'open, current to the last round',
    gate: 'completeFailover',
    cancel: 'undo',
    holdable: true,
    complete: 'now',
    reassign: 'moves-disks',
    next: ['StoppingSource'],
    says: 'Copies what changed, round after round, until a person completes the failover.',
  },
  AwaitingCutover: {
    serves: 'source',
    targetDisks: 'as found',
    gate: 'completeFailover',
    cancel: 'end',
    holdable: true,
    complete: 'now',
    reassign: 'at-once',
    next: ['StoppingSource'],
    says: 'Waits for a person to complete the failover; everything is copied after the source has stopped.',
  },
  StoppingSource: {
    serves: 'source until observed stopped',
    targetDisks: 'open',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'moves-disks',
    next: ['FinalSync'],
    says: 'Runs the scripts before the stop, looks at home once more and stops the source. The outage begins with the stop.',
  },
  FinalSync: {
    serves: 'nobody',
    targetDisks: 'open',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'moves-disks',
    next: ['Sealing'],
    says: 'Moves the last changes, taken after the source was observed stopped.',
  },
  Sealing: {
    serves: 'nobody',
    targetDisks: 'open, then sealed',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    next: ['StartingTarget'],
    says: 'Writes the withheld boot sectors and proves them; the disks can boot from here on.',
  },
  StartingTarget: {
    serves: 'target once observed running',
    targetDisks: 'sealed',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    changePoint: 'answer',
    next: ['AwaitingCommit', 'ChangingPoint'],
    says: 'Starts the machine at home and waits for its guest to answer. The outage ends here.',
  },
  AwaitingCommit: {
    serves: 'target',
    targetDisks: 'sealed, in use',
    gate: 'commit',
    cancel: 'loss',
    holdable: true,
    complete: 'no',
    skippable: true,
    reassign: 'no',
    changePoint: 'now',
    next: ['Committing', 'ChangingPoint'],
    says: 'The machine runs at home. Sign in and check it, then commit; until then nothing in the source is deleted.',
  },
  ChangingPoint: {
    serves: 'target until observed off, then nobody',
    targetDisks: 'in use, then open',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    next: ['Sealing'],
    says: 'Stops the machine at home again and takes its disks to the other point that a person chose. The source stays stopped.',
  },
  Committing: {
    serves: 'target',
    targetDisks: 'in use',
    cancel: 'none',
    holdable: false,
    complete: 'no',
    skippable: true,
    reassign: 'no',
    next: ['Committed'],
    says: 'Deletes the source machine, its disks and our recovery points. There is no way back.',
  },
  Committed: {
    serves: 'target',
    targetDisks: 'in use',
    cancel: 'none',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    next: [],
    says: 'The machine is home and unprotected until it is protected again.',
  },
  Undoing: {
    serves: 'on the way back to the source',
    targetDisks: 'removed, or left open and marked',
    cancel: 'none',
    holdable: false,
    complete: 'no',
    skippable: true,
    reassign: 'no',
    next: ['ReturnedToSource'],
    says: 'Takes every step back, newest first, until the source serves as it was found.',
  },
  ReturnedToSource: {
    serves: 'source, as it was found',
    targetDisks: 'as the undo left them',
    cancel: 'none',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    next: [],
    says: 'The failback was taken back; what it had changed is undone.',
  },
  NeedsOperator: {
    serves: 'as it was',
    targetDisks: 'as they were',
    cancel: 'undo',
    holdable: false,
    complete: 'no',
    reassign: 'no',
    next: [],
    says: 'Something needs a person. Mend the cause, then answer with what the run takes here.',
  },
};

/** The gate a run in `phase` stands at or comes to next; undefined when it comes to none any more. */
export function nextGate(phase: Phase): Gate | undefined {
  const { gate, next: [onward] = [] } = phaseTable[phase] ?? {};
  return gate ?? (onward && nextGate(onward));
}

/** A run ended so: the machine serves at home, and its source was deleted. */
export const isHome = (phase: string | undefined): boolean => phase === 'Committed';

/** Phases in which a run has ended. */
export const isFinal = (phase: Phase): boolean => phase === 'Committed' || phase === 'ReturnedToSource';

/** The phase whose rules hold: where a story stands, or the one it left to call the operator. */
export const standing = ({ phase, left }: { readonly phase: Phase; readonly left?: Phase }): Phase =>
  phase === 'NeedsOperator' ? (left ?? 'Preflight') : phase;
