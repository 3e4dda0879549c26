/**
 * What people said to a run, and what came of it for good, each in a sentence.
 * Rule: in the order of time, so that the last line is the last word; whether it came to that is the phase's to tell.
 */
import { phaseTable } from '../../model/phase.ts';
import { lossText, type Status } from '../../model/status.ts';
import type { Approval } from '../../model/transition.ts';
import { clock } from './figures.ts';
import { plain } from './paint.ts';

/** Why they said it. */
export const reasonText = ({ note }: Pick<Approval, 'note'>): string => (note ? ` (${plain(note)})` : '');

const completeWords = ({ point }: NonNullable<Status['completion']>): string =>
  point === 'application-consistent' ? 'complete, to the application-consistent point,' : 'complete';

/** What a completion that was given early waits for. */
function follows({ phase, left, held, cancellation }: Status): string {
  if (cancellation || phaseTable[left ?? phase]?.complete !== 'queued') return '';
  const first = held ? 'once the run is resumed and' : 'once';
  return `; the cutover follows by itself ${first} the first round is proven on every disk, nobody needs to say it again`;
}

/** Not yet for a terminal: what came from outside is in it as it came. */
export function saidTexts(status: Status, now: number): string[] {
  const { completion, commitment, cancellation, pointChanged, loss } = status;
  const said = (verb: string, approval: Approval) => ({
    at: approval.at,
    text: `${approval.by} said ${verb} at ${clock(approval.at, now)}${reasonText(approval)}`,
  });
  const all = [
    completion && { at: completion.at, text: `${said(completeWords(completion), completion).text}${follows(status)}` },
    pointChanged && said(`change-point (${pointChanged.point})`, pointChanged),
    commitment && said('commit', commitment),
    cancellation && said('cancel', cancellation),
  ].filter((one) => one !== undefined);
  const inOrder = all.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)).map(({ text }) => text);
  return [...inOrder, ...(loss ? [lossText(loss, (iso) => clock(iso, now))] : [])];
}
