/**
 * 100,000 random sequences of messages and steps: no illegal state is ever reached.
 * Replay a failure with the line fast-check prints: HOMEWARD_SEED=<seed> HOMEWARD_PATH=<path> npm test -- law-random
 */
import fc from 'fast-check';
import { Failure } from '../../model/failure.ts';
import { type Message, messageNames, parseMessage } from '../../model/message.ts';
import { isFinal, type Phase, phases, phaseTable } from '../../model/phase.ts';
import {
  beginStory,
  callOperator,
  enter,
  goBack,
  hear,
  markTargetLive,
  markTargetOff,
  type Story,
} from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';
const replay = {
  ...(process.env.HOMEWARD_SEED ? { seed: Number(process.env.HOMEWARD_SEED) } : {}),
  ...(process.env.HOMEWARD_PATH ? { path: process.env.HOMEWARD_PATH } : {}),
};
const sequences = Number(process.env.HOMEWARD_LAW_RUNS ?? 100_000);

type Event =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'enter'; readonly phase: Phase }
  | { readonly kind: 'call' | 'back' | 'live' | 'off' };

const message = fc
  .record({
    name: fc.constantFrom(...messageNames),
    by: fc.constantFrom('ana', 'ben'),
    run: fc.option(fc.constantFrom('run-1', 'run-0'), { nil: undefined }),
    acceptLoss: fc.option(fc.boolean(), { nil: undefined }),
    action: fc.constantFrom('retry' as const, 'undo' as const),
  })
  .map(({ name, by, run, acceptLoss, action }): Event => {
    const payload = {
      by,
      run,
      ...(name === 'cancel' ? { acceptLoss } : {}),
      ...(name === 'resolve' ? { action } : {}),
    };
    const parsed = parseMessage(name, payload);
    if (!('message' in parsed)) throw new Error(parsed.problem);
    return { kind: 'message', message: parsed.message };
  });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: message },
  { weight: 5, arbitrary: fc.constantFrom(...phases).map((phase): Event => ({ kind: 'enter', phase })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Event>({ kind: 'call' }, { kind: 'back' }, { kind: 'live' }, { kind: 'off' }),
  },
);

/** One event; an illegal step must throw Defect and leave the story alone. */
function apply(story: Story, happened: Event): Story {
  try {
    if (happened.kind === 'message') return hear(story, happened.message, at).story;
    if (happened.kind === 'enter') return enter(story, happened.phase);
    if (happened.kind === 'call') return callOperator(story, trouble);
    if (happened.kind === 'back') return goBack(story);
    if (happened.kind === 'live') return story.phase === 'StartingTarget' ? markTargetLive(story) : story;
    return story.phase === 'Undoing' ? markTargetOff(story) : story;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Defect') return story;
    throw error;
  }
}

const trouble = { kind: 'Refused', op: 'op', subject: 's', message: 'm', hint: 'h', since: at };

/** Plain comparison: jest's own is too slow for millions of events. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

/** What must hold after every event, given how the story came here. */
function check(before: Story, after: Story, trail: readonly Phase[]): void {
  const seen = (phase: Phase): boolean => trail.includes(phase);
  must(!isFinal(before.phase) || after.phase === before.phase, 'an ended run stays ended');
  must(!seen('StoppingSource') || after.completion !== undefined, 'the source stops only after a completion');
  must(!seen('Committing') || after.commitment !== undefined, 'committing needs a commitment (S2)');
  must(!(seen('Committing') && seen('Undoing')), 'nothing is undone once committing began (S6)');
  must(!after.commitment || seen('AwaitingCommit'), 'a commitment is taken only at its gate');
  must(!(after.commitment && after.cancellation), 'committed and cancelled exclude each other');
  must(after.phase !== 'StartingTarget' || seen('Sealing'), 'the target starts sealed (S4)');
  must(after.phase !== 'Sealing' || seen('FinalSync'), 'sealing follows the final round');
  must((after.phase === 'NeedsOperator') === (after.left !== undefined), 'who called the operator is known');
  must(
    after.phase === 'NeedsOperator' || (after.trouble ?? after.resolution) === undefined,
    'trouble ends with its phase',
  );
  must(!(after.targetLive && after.cancellation) || after.cancellation.acceptLoss, 'loss was accepted (S5)');
  must(after.refusals.length <= 50, 'refusals are bounded');
  must(Object.hasOwn(phaseTable, after.phase), 'the phase is in the table');
}

test('S1 S2 S5 S6 S7 no random sequence of messages and steps reaches an illegal state', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let story = beginStory('run-1');
      const trail: Phase[] = [story.phase];
      for (const happened of events) {
        const next = apply(story, happened);
        if (next.phase !== story.phase) trail.push(next.phase);
        check(story, next, trail);
        story = next;
      }
    }),
    { numRuns: sequences, ...replay },
  );
}, 240_000);

test('L6 from every phase that has not ended an operator has an exit', () => {
  for (const phase of phases) {
    if (isFinal(phase)) continue;
    const story: Story = {
      ...beginStory('run-1'),
      phase,
      ...(phase === 'NeedsOperator' ? { left: 'Seeding' as const } : {}),
    };
    const exits = messageNames.filter((name) => {
      const parsed = parseMessage(name, {
        by: 'ana',
        ...(name === 'resolve' ? { action: 'retry' } : {}),
        ...(name === 'cancel' ? { acceptLoss: true } : {}),
      });
      return 'message' in parsed && hear(story, parsed.message, at).accepted && name !== 'resume';
    });
    const works = phase === 'Committing' || phase === 'Undoing';
    expect({ phase, exits: exits.length > 0 || works }).toEqual({ phase, exits: true });
    if (works) expect(callOperator(story, trouble).phase).toBe('NeedsOperator');
  }
});
