/**
 * What an earlier run left on the machine: original disks that are half written, or disks that it staged.
 * Rule (S5, S11): staged disks stay where a way back was left out because the source was gone, so they may be the last copy.
 * Nothing deletes them before a person named their run.
 */
import { type Check, leftByARun } from '../../model/check.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Machine } from './inventory.ts';
import { isOpen, type Mark } from './marks.ts';

const undoFirst = 'resolve it with --undo first.';

/** Staged beside half-written originals there would be no way back; only a run in place repairs them. */
export const inPlaceRemedy = `Start with --write in-place, which repairs the disks. A run that has begun keeps its way of writing: ${undoFirst}`;

export const discardRemedy = ({ run }: Mark): string =>
  `Look at them first, and copy what somebody still needs. To have them deleted and the original disks put back, start with --discard ${run}. A run that has begun keeps what was said at its start: ${undoFirst}`;

export const leftStaged = ({ run, staged }: Mark): string =>
  `run ${run} left disks that it staged, which may be the last copy of the machine: ${staged.join(', ')}`;

type Question = Pick<TargetPreflight, 'path' | 'run' | 'write' | 'discards'>;

export function leftCheck({ path: subject, run, write, discards }: Question, { mark }: Machine): Check {
  const about = { id: leftByARun, subject };
  const right = 'no other run has left its disks open';
  if (!isOpen(mark)) return check({ ...about, right, remedy: '' });
  const { way, state } = mark;
  if (mark.run === run)
    return check({ ...about, right: `run ${run}, which is under way, has its disks (${state})`, remedy: '' });
  if (way === 'staged') {
    const said = mark.run === discards;
    const remedy = said ? 'Nothing to do: a person said that this run deletes them.' : discardRemedy(mark);
    return check({ ...about, wrong: leftStaged(mark), right, remedy, verdict: said ? 'warn' : 'refuse' });
  }
  return check({
    ...about,
    wrong: way === 'in-place' && state === 'open' ? `run ${mark.run} left its original disks half written` : undefined,
    right,
    remedy: write === 'staged' ? inPlaceRemedy : 'Nothing to do: this run repairs them.',
    verdict: write === 'staged' ? 'refuse' : 'warn',
  });
}
