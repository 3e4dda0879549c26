/**
 * Bugs planted in what reads over the wire: how much is asked at once, what an answer must be, what of it may be told.
 */
import { bug, type PlantedBug } from './bug.ts';

const flow = 'sites/azure/flow.ts';
const slowLink = 'test/azure/slow-link.test.ts';

export const wireBugs: readonly PlantedBug[] = [
  bug(
    'L1',
    flow,
    'if (!signal.aborted && this.tooSlow(error, this.since(began))) this.lower(era);',
    '',
    slowLink,
    'goes on within one attempt',
  ),
  bug(
    'L1',
    flow,
    'if (error instanceof TooSlow && !(error instanceof FellSilent)) return true;',
    '',
    slowLink,
    'forty disks share',
  ),
];
