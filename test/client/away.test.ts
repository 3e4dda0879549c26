/** What a watcher says while Temporal is away: at once, again and again, and when it answers. */
import type { Screen } from '../../client/screen.ts';
import { openCanvas } from '../../client/watch.ts';
import { statusIn, viewOf } from './views.ts';

const why = 'Temporal at here:7233 stopped answering';

test.each([
  ['lines', false],
  ['JSON', true],
])(
  'R11 a watcher that writes %s is never silent while Temporal is away: every 15 s it says for how long, and then that it answers again',
  async (_how, json) => {
    const notes: string[] = [];
    const screen = { json, live: false, note: (text: string) => notes.push(text), answer: () => undefined };
    let seconds = 0;
    const canvas = await openCanvas(screen as unknown as Screen, () => seconds * 1000);
    const view = viewOf(statusIn('Syncing'));
    canvas.show(view);
    for (; seconds < 40; seconds++) canvas.away(why);
    canvas.show(view);
    canvas.show(view);
    canvas.away(why);
    expect(notes).toEqual([
      `${why}; looking again until it does`,
      `${why} for 15 s by now; looking again until it does`,
      `${why} for 30 s by now; looking again until it does`,
      'Temporal answers again',
      `${why}; looking again until it does`,
    ]);
  },
);
