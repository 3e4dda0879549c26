/**
 * Asks before a step that stops or deletes something.
 * Rule: without a terminal nothing is assumed; `--yes` is the only other way to say it.
 */
import { Problem } from './problem.ts';
import type { Screen } from './screen.ts';

/** Shows `picture` and asks the person to type `word`. Throws Problem `refused` when they do not. */
export async function confirm(screen: Screen, picture: string, word: string, yes: boolean): Promise<void> {
  screen.note(picture);
  if (yes) return;
  const typed = await screen.ask(`Type "${word}" to go on: `);
  if (typed === undefined)
    throw new Problem(
      'refused',
      'nothing was sent: there is no terminal to confirm on',
      'Read the above and send it again with --yes.',
    );
  if (typed !== word)
    throw new Problem('refused', 'nothing was sent: it was not confirmed', `Type exactly "${word}", or use --yes.`);
}
