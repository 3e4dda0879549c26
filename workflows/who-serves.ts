/**
 * Who serves the users, and what may be said of both sides at the end. Pure.
 * Rule: it is told from what was seen and done, never from where the run is heading; nothing is called undone that is not (S5).
 */
import { wayOf } from '../model/creation.ts';
import type { EvidenceEntry } from '../model/evidence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { Power } from '../model/machine.ts';
import type { Outages } from '../model/outage.ts';
import { isFinal, type Phase, phaseTable } from '../model/phase.ts';
import type { Status } from '../model/status.ts';
import { type Story, standing } from '../model/transition.ts';

export interface SidesFound extends Outages {
  /** Steps that an operator left out; they stay undone. */
  readonly leftOut: readonly string[];
  /** Sealing was begun: disks at home may be whole. */
  readonly sealing?: true;
  /** The source was off when it was seen last. */
  readonly sourceIdle?: boolean;
  /** What the way back does with its power; absent before a stop was sent. */
  readonly sourceUndo?: Status['sourceUndo'];
  /** Power of both sides as preflight last saw them; absent before the first look. A side that could not be seen is absent. */
  readonly looked?: { readonly source?: Power | undefined; readonly target?: Power | undefined };
}

const notFound = 'the source was not found when it was last looked for';

/** As the phase says, but never claimed before anybody looked, nor against what was seen. */
export function whoServes(story: Story, found: SidesFound, record: readonly EvidenceEntry[]): string {
  const { outage, looked, leftOut, sourceIdle, sourceUndo } = found;
  const phase = standing(story);
  // During an outage nobody serves, whatever the phase would promise once it is done.
  if (outage && !outage.endedAt && cutOff.has(phase)) return 'nobody';
  if (story.untouched) return `as before this run, which touched nothing; ${sidesSeen(looked)}`;
  if (phase === 'ReturnedToSource' && leftOut.length > 0)
    return `look at both sides: an operator left out ${leftOut.join(', ')}`;
  if (phase === 'Undoing') return servesMeanwhile(story, found, record);
  if (story.sourceGone && phaseTable[phase].serves.startsWith('source')) return `not known: ${notFound}`;
  if (phase === 'ReturnedToSource' && sourceUndo === 'leave' && !isIn(record, 'source-left')) return asSeen(sourceIdle);
  if (sourceIdle && phaseTable[phase].serves.startsWith('source')) return idle;
  if (phase !== 'Preflight') return phaseTable[phase].serves;
  if (!looked) return 'not known before the first look';
  const runs = (['source', 'target'] as const).filter(
    (side) => looked[side] === 'running' || looked[side] === 'changing',
  );
  if (runs.length > 0) return runs.join(' and ');
  const unseen = (['source', 'target'] as const).filter((side) => looked[side] === undefined);
  return unseen.length > 0
    ? `not known: the ${unseen.join(' and the ')} could not be seen`
    : 'nobody: neither side runs';
}

/** Between the first undo and the last: by what was done, in the order in which it is taken back. */
function servesMeanwhile(
  { targetLive, sourceGone }: Story,
  { outage, sourceIdle, sourceUndo }: SidesFound,
  record: readonly EvidenceEntry[],
): string {
  if (targetLive && sourceGone) return `target, until it is stopped; ${notFound}`;
  if (targetLive)
    return `target, until it is stopped; then nobody${sourceUndo === 'leave' ? ', unless somebody has started the source' : ', until the source is started again'}`;
  if (sourceGone) return outage ? `nobody: ${notFound}` : `not known: ${notFound}`;
  if (sourceUndo === undefined) return sourceIdle ? idle : 'source';
  if (isIn(record, 'source-started')) return 'source';
  if (sourceUndo === 'leave') return isIn(record, 'source-left') && !sourceIdle ? 'source' : asSeen(sourceIdle);
  if (sourceIdle || isIn(record, 'source-stopped')) return 'nobody, until the source is started again';
  return 'the source, unless its stop went through; then it is started again';
}

const isIn = (record: readonly EvidenceEntry[], key: string): boolean => record.some((entry) => entry.key === key);

/** Of a source that no way back starts, before it was looked at there. */
const asSeen = (sourceIdle: boolean | undefined): string =>
  sourceIdle ? idle : 'the source, if it still runs: it was off before its stop, and somebody started it since';

/** What an end says where the phase's own words would claim too much; undefined where they hold. */
export function endSays(
  input: FailbackInput,
  story: Story,
  { leftOut, sealing }: Pick<SidesFound, 'leftOut' | 'sealing'>,
  record: readonly EvidenceEntry[],
): string | undefined {
  if (story.untouched && isFinal(story.phase)) return untouchedSays;
  const wrote = (what: string): boolean => record.some(({ key }) => key.startsWith(what));
  if (story.phase !== 'ReturnedToSource') return undefined;
  const inPlace = wayOf(input) === 'in-place' && wrote('open/');
  const on = story.sourceGone ? lastCopySays : repairSays;
  // S4: the seals are recorded together, so that a disk may be whole before any of them is.
  if (inPlace && !sealing) return `${takenBackSays} are half written and cannot boot. ${on}`;
  // S5: sealed disks whose step was left out may be what serves.
  if (story.sourceGone) return `${partlySays} ${lastCopySays}`;
  if (inPlace && !leftOut.includes('open target disks'))
    return `${takenBackSays} hold what this run wrote, no more what they held before. ${repairSays}`;
  return leftOut.length > 0 ? partlySays : undefined;
}

const takenBackSays = 'The failback was taken back. Not undone: the original disks at home';
const repairSays = 'Do not start the machine there; a later run with write: in-place repairs them.';
const lastCopySays =
  'The source was not found when it was last looked for, so what is left at home and in Azure may be the last copy: look at it before you start, stop, overwrite or delete any of it.';
const partlySays = 'The failback was taken back, but not all that it had changed.';
const untouchedSays = 'The run ended before it touched anything; look at both sides to know who serves.';

/** How the power of a side was, in the words for people. */
const powerWas: Readonly<Record<Power, string>> = {
  running: 'ran',
  stopped: 'was off',
  changing: 'was being started or stopped',
  absent: 'was not found',
};

/** What a run that touched nothing saw of both sides: all that it can tell of them. */
function sidesSeen(looked: SidesFound['looked']): string {
  if (!looked) return 'it had looked at neither side';
  const { source, target } = looked;
  const was = (power: Power | undefined): string => (power ? powerWas[power] : 'could not be seen');
  return `it saw: the source ${was(source)}, the target ${was(target)}`;
}

const idle = 'nobody: the source is stopped';

/** Phases in which the source is stopped and the target does not answer yet. */
const cutOff: ReadonlySet<Phase> = new Set<Phase>(['FinalSync', 'Sealing', 'StartingTarget', 'ChangingPoint']);
