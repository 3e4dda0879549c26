/**
 * What an earlier run left on the machine: original disks that are half written, disks that it began to seal or staged, or a machine
 * that it gave its disks back.
 * Rule (S5, S11): all but the first stay where a way back was left out because the source was gone, so they may be the last
 * copy. Nothing deletes them or writes over them before a person named their run.
 */
import { type Check, keptByItsRun, leftByARun } from '../../model/check.ts';
import { refused } from '../../model/failure.ts';
import type { TargetPreflight, TargetRequest } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Machine } from './inventory.ts';

/** Staged beside half-written originals there would be no way back; only a run in place repairs them. */
export const inPlaceRemedy = `Start with --write in-place, which repairs the disks. ${keptByItsRun}`;

interface Left {
  /** What may be the last copy of the machine. */
  readonly what: string;
  readonly remedy: string;
}

type Question = Pick<TargetPreflight, 'path' | 'run' | 'write' | 'discards'>;

/** Undefined where this run neither deletes nor writes over anything of the kind. */
function lastCopyOf(machine: Machine, write: Question['write']): Left | undefined {
  if (machine.mark === undefined) return undefined;
  const { run, state, way, originals, staged } = machine.mark;
  const files = (way === 'in-place' ? originals.map(({ file }) => file) : staged).join(', ');
  const said = (done: string, also = ''): string =>
    `Look at them first, and copy what somebody still needs. To have them ${done}, start with --discard ${run}${also}. ${keptByItsRun}`;
  if (state !== 'returned' && way === 'staged')
    return {
      what: `run ${run} left disks that it staged, which may be the last copy of the machine: ${files}`,
      remedy: said('deleted and the original disks put back'),
    };
  if (state === 'sealed')
    return {
      what: `run ${run} began to seal the disks of the machine and never came to its end, so that they may be the last copy of it: ${files}`,
      remedy: said('written over', write === 'staged' ? ' --write in-place' : ''),
    };
  if (state !== 'returned') return undefined;
  // A run that stages would write its record over this one and take it along on its way back; the next would find nothing.
  return {
    what: `run ${run} gave the machine its disks back and never came to its end, so that they may be the last copy of it: ${files}`,
    remedy: said(write === 'staged' ? 'replaced' : 'written over'),
  };
}

/** Refuses to go on over what another run left and nobody gave up. */
export function needGivenUp({ run, discards, path: subject, write }: TargetRequest, machine: Machine): void {
  if (machine.mark?.run === run || machine.mark?.run === discards) return;
  const left = lastCopyOf(machine, write);
  if (left) throw refused({ op: 'ensureDisksOpen', subject, message: left.what, hint: left.remedy });
}

export const leftCheck = (question: Question, machine: Machine): Check => ({
  ...leftBy(question, machine),
  newRunOnly: true,
});

function leftBy({ path: subject, run, write, discards }: Question, machine: Machine): Check {
  const { mark } = machine;
  const about = { id: leftByARun, subject };
  const right = 'no other run has left its disks there';
  if (mark === undefined) return check({ ...about, right, remedy: '' });
  const { way, state } = mark;
  if (mark.run === run)
    return check({ ...about, right: `run ${run}, which is under way, has its disks (${state})`, remedy: '' });
  const left = lastCopyOf(machine, write);
  if (left) {
    // Staged beside originals that hang on nothing there would be no way back, whatever was given up.
    const said = mark.run === discards && !(state === 'sealed' && write === 'staged');
    const remedy = said ? 'Nothing to do: a person said that they may go.' : left.remedy;
    return check({ ...about, wrong: left.what, right, remedy, verdict: said ? 'warn' : 'refuse' });
  }
  return check({
    ...about,
    wrong: way === 'in-place' && state === 'open' ? `run ${mark.run} left its original disks half written` : undefined,
    right,
    remedy: write === 'staged' ? inPlaceRemedy : 'Nothing to do: this run repairs them.',
    verdict: write === 'staged' ? 'refuse' : 'warn',
  });
}
