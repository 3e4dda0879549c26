/** Bugs planted in what a mover takes, in what order, and how a worker ends. */
import { bug, type PlantedBug } from './bug.ts';

const turns = 'test/activities/turns.test.ts';
const scrubRoom = 'test/activities/scrub-room.test.ts';
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
  bug(
    'L1',
    'activities/turns.ts',
    'return this.urgentRoom + Math.max(0, this.room - sum(this.others));',
    'return Number.POSITIVE_INFINITY;',
    turns,
    'keep to the memory of a mover',
  ),
  bug(
    'L5',
    'activities/turns.ts',
    'this.begin(false, this.begin(true, false));',
    'this.begin(false, this.begin(true, false) && false);',
    turns,
    'left to the cutover that waits',
  ),
  bug(
    'L5',
    'activities/transfer.ts',
    'parts.turns.spare(weight, work.signal, run)',
    'run(work.signal)',
    scrubRoom,
    'gives way in its midst',
  ),
  bug('L5', 'activities/turns.ts', 'if (!this.leaves(one.weight, one)) one.leave();', '', turns, 'what gives way'),
  bug(
    'L5',
    'activities/turns.ts',
    'for (const look of this.looking) look();',
    '',
    turns,
    'runs alone whatever it weighs',
  ),
  bug('L5', 'activities/turns.ts', 'now = next;\n      this.next();', 'now = next;', turns, 'gives some at once'),
  bug(
    'S3',
    'activities/turns.ts',
    'signal.aborted || error instanceof Failure',
    'signal.aborted',
    turns,
    'ends with what it found',
  ),
  bug(
    'L5',
    'activities/turns.ts',
    '(heavy === 0 && light <= this.light.room) ||',
    '',
    turns,
    'runs alone whatever it weighs',
  ),
  bug('L1', 'activities/attempt.ts', 'inVain.notTried();', '', inHand, 'found no place asks nobody'),
  bug(
    'L7',
    'workers/ending.ts',
    '[windDownMs, endMs]',
    '[4 * windDownMs, 4 * endMs]',
    'test/workers/start.test.ts',
    'says so in one line',
  ),
  bug(
    'L7',
    'workers/start.ts',
    'await Promise.race([open(kind, started, plan), asked]);',
    'await open(kind, started, plan);',
    'test/workers/start.test.ts',
    'a silent Temporal says so',
  ),
  bug(
    'L1',
    'activities/attempt.ts',
    'await tellEndOfReset(context);',
    'void tellEndOfReset;',
    'test/story/large-disk.test.ts',
    'reset by the plain temporal CLI',
  ),
  bug(
    'S8',
    'activities/after-reset.ts',
    ' && scheduledMs === currentAttemptScheduledTimestampMs',
    ' && scheduledMs >= currentAttemptScheduledTimestampMs',
    'test/activities/after-reset.test.ts',
  ),
  bug(
    'S8',
    'activities/after-reset.ts',
    '(seen.attempt ?? 0) < attempt',
    '(seen.attempt ?? 0) <= attempt',
    'test/activities/after-reset.test.ts',
  ),
  bug(
    'L7',
    'client/leaving.ts',
    '  for (const flag of compilers) setFlagsFromString(flag);',
    '  void [setFlagsFromString, compilers];',
    'test/client/leaving.test.ts',
  ),
];
