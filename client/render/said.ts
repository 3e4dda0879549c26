/**
 * What people said to a run, and what came of it for good, each in a sentence.
 * Rule: in the order of time, so that the last line is the last word; whether it came to that is the phase's to tell.
 */
import { lossText, type Status } from '../../model/status.ts';
import type { Approval } from '../../model/transition.ts';
import { clock } from './figures.ts';
import { plain } from './paint.ts';

/** Why they said it. */
export const reasonText = ({ note }: Pick<Approval, 'note'>): string => (note ? ` (${plain(note)})` : '');

const completeWords = ({ point }: NonNullable<Status['completion']>): string =>
  point === 'application-consistent' ? 'complete, to the application-consistent point,' : 'complete';

/** Not yet for a terminal: what came from outside is in it as it came. */
export function saidTexts(status: Status, now: number): string[] {
  const { completion, commitment, cancellation, pointChanged, loss } = status;
  const said = (verb: string, approval: Approval) => ({
    at: approval.at,
    text: `${approval.by} said ${verb} at ${clock(approval.at, now)}${reasonText(approval)}`,
  });
  const all = [
    completion && said(completeWords(completion), completion),
    pointChanged && said(`change-point (${pointChanged.point})`, pointChanged),
    commitment && said('commit', commitment),
    cancellation && said('cancel', cancellation),
  ].filter((one) => one !== undefined);
  const inOrder = all.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)).map(({ text }) => text);
  return [...inOrder, ...(loss ? [lossText(loss, (iso) => clock(iso, now))] : [])];
}
