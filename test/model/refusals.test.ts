/** Which refusals are worth showing: once a run is over, none that the word it ended with came after. */
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { refusalsNow } from '../../model/refusals.ts';
import type { Status } from '../../model/status.ts';
import { failbackDetails } from '../../workflows/details.ts';
import { ago, now, statusIn, viewOf } from '../client/views.ts';

const refused = (seconds: number, message = 'commit') => ({
  ...({ message, by: 'bob', at: ago(seconds), phase: 'Syncing', reason: 'no' } as const),
});
const [early, late] = [refused(300), refused(60, 'cancel')];
const refusals = [early, late];
const word = { by: 'ana', at: ago(120) };

test('S7 while a run is under way every refusal is shown', () => {
  for (const phase of ['Syncing', 'AwaitingCommit', 'NeedsOperator', 'Committing', 'Undoing'] as const)
    expect(refusalsNow(statusIn(phase, { refusals, commitment: word, cancellation: word }))).toEqual(refusals);
});

test('S7 of a run that is over only what was refused behind the word that it ended with is shown: the others were followed by it', () => {
  const entry = (key: string, seconds: number) => ({ key, at: ago(seconds) }) as never;
  for (const status of [
    statusIn('Committed', { refusals, commitment: word }),
    statusIn('ReturnedToSource', { refusals, cancellation: word }),
    // An operator took it back, behind an answer that was another one.
    statusIn('ReturnedToSource', {
      refusals,
      record: [entry('resolve-accepted', 400), entry('resolve-accepted', 120)],
    }),
  ])
    expect(refusalsNow(status)).toEqual([late]);
  // Nobody knows the word: what came before the end itself is left out.
  expect(refusalsNow(statusIn('ReturnedToSource', { refusals, phaseSince: ago(10) }))).toEqual([]);
});

test('S7 the picture and the details of a run that was committed have no refusal of before, which its JSON keeps', () => {
  const over = statusIn('Committed', { refusals: [early], commitment: word });
  const shown = (status: Status) => [renderStatus(viewOf(status), now, plainStyle), failbackDetails(status)];
  for (const text of shown(over)) expect(text).not.toMatch(/refus/i);
  for (const text of shown(statusIn('Committing', { refusals: [early], commitment: word })))
    expect(text).toMatch(/refus/i);
  expect(over.refusals).toEqual([early]);
});
