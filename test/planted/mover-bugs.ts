/** Bugs planted in what a mover takes, and in what order. */
import { bug, type PlantedBug } from './bug.ts';

const inHand = 'test/activities/in-hand.test.ts';

export const moverBugs: readonly PlantedBug[] = [
  bug(
    'L5',
    'activities/in-hand.ts',
    'if (this.count >= this.places) throw new NoPlace(subject, this.count, this.comeAgainMs);',
    '',
    inHand,
    'rounds and scrubs that wait, however many',
  ),
  bug('L1', 'activities/attempt.ts', 'inVain.notTried();', '', inHand, 'found no place asks nobody'),
];
