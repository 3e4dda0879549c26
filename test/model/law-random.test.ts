/**
 * 100,000 random sequences of messages and steps: no illegal state is ever reached.
 * Replay a failure with the line fast-check prints: HOMEWARD_SEED=<seed> HOMEWARD_PATH=<path> npm test -- law-random
 */
import fc from 'fast-check';
import { takeUpReassignment } from '../../model/carrying.ts';
import { Failure } from '../../model/failure.ts';
import { type Message, type MessageName, messageNames, parseMessage } from '../../model/message.ts';
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
  standing,
} from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';
const replay = {
  ...(process.env.HOMEWARD_SEED ? { seed: Number(process.env.HOMEWARD_SEED) } : {}),
  ...(process.env.HOMEWARD_PATH ? { path: process.env.HOMEWARD_PATH } : {}),
};
const sequences = Number(process.env.HOMEWARD_LAW_RUNS ?? 100_000);

const m1 = { name: 'm1', path: '/DC0/vm/m1' };

type Event =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'enter'; readonly phase: Phase }
  /** Enters what the table names next; `pick` chooses among several. */
  | { readonly kind: 'on'; readonly pick: number }
  | { readonly kind: 'call' | 'back' | 'live' | 'off' | 'taken' };

const message = fc
  .record({
    name: fc.constantFrom(...messageNames),
    by: fc.constantFrom('ana', 'ben'),
    run: fc.option(fc.constantFrom('run-1', 'run-0'), { nil: undefined }),
    acceptLoss: fc.option(fc.boolean(), { nil: undefined }),
    action: fc.constantFrom('retry' as const, 'undo' as const, 'skip' as const),
    mover: fc.constantFrom('m1', 'm2', 'm3'),
    point: fc.constantFrom('latest' as const, 'application-consistent' as const),
  })
  .map(({ name, by, run, acceptLoss, action, mover, point }): Event => {
    const payload = {
      by,
      run,
      ...(name === 'cancel' ? { acceptLoss } : {}),
      ...(name === 'changePoint' ? { point, acceptLoss } : {}),
      ...(name === 'resolve' ? { action } : {}),
      ...(name === 'reassign' ? { mover, path: `/DC0/vm/${mover}` } : {}),
    };
    const parsed = parseMessage(name, payload);
    if (!('message' in parsed)) throw new Error(parsed.problem);
    return { kind: 'message', message: parsed.message };
  });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: message },
  { weight: 2, arbitrary: fc.constantFrom(...phases).map((phase): Event => ({ kind: 'enter', phase })) },
  { weight: 4, arbitrary: fc.nat({ max: 1 }).map((pick): Event => ({ kind: 'on', pick })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Event>(
      { kind: 'call' },
      { kind: 'back' },
      { kind: 'live' },
      { kind: 'off' },
      { kind: 'taken' },
    ),
  },
);

const say = (name: MessageName): Event => {
  const parsed = parseMessage(name, { by: 'ana' });
  if (!('message' in parsed)) throw new Error(parsed.problem);
  return { kind: 'message', message: parsed.message };
};
const change = (point: 'latest' | 'application-consistent'): Event => ({
  kind: 'message',
  message: { name: 'changePoint', by: 'ana', point, acceptLoss: true },
});
const into = (phase: Phase): Event => ({ kind: 'enter', phase });

/** The whole way home; a sequence may begin after any of its steps. */
const wayHome: readonly (readonly Event[])[] = [
  [into('Seeding')],
  [into('Syncing')],
  [say('completeFailover'), into('StoppingSource')],
  [into('FinalSync')],
  [into('Sealing')],
  [into('StartingTarget'), { kind: 'live' }],
  [into('AwaitingCommit')],
  [change('application-consistent'), into('ChangingPoint')],
  [{ kind: 'off' }, into('Sealing'), into('StartingTarget'), { kind: 'live' }, into('AwaitingCommit')],
  [say('commit'), into('Committing')],
];

/** One event; an illegal step must throw Defect and leave the story alone. */
function apply(story: Story, happened: Event): Story {
  try {
    if (happened.kind === 'message') return hear(story, happened.message, at).story;
    if (happened.kind === 'enter') return enter(story, happened.phase);
    if (happened.kind === 'on') {
      const { next } = phaseTable[story.phase];
      const phase = next[happened.pick % next.length];
      return phase ? enter(story, phase) : story;
    }
    if (happened.kind === 'call') return callOperator(story, trouble);
    if (happened.kind === 'back') return goBack(story);
    if (happened.kind === 'taken') return takeUpReassignment(story);
    if (happened.kind === 'live') return markTargetLive(story);
    return story.phase === 'Undoing' || story.phase === 'ChangingPoint' ? markTargetOff(story, at) : story;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Defect') return story;
    throw error;
  }
}

const trouble = { kind: 'Refused', op: 'op', subject: 's', message: 'm', hint: 'h', since: at };

/** Written by hand, independent of the law's own table. */
const sealedOrBack: ReadonlySet<Phase> = new Set<Phase>([
  ...([
    'Sealing',
    'StartingTarget',
    'AwaitingCommit',
    'ChangingPoint',
    'Committing',
    'Committed',
    'Undoing',
    'ReturnedToSource',
  ] as const),
]);

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
  must(after.phase !== 'Sealing' || !after.targetLive, 'nothing is sealed while the target may run (S1)');
  must(after.phase !== 'Sealing' || seen('FinalSync'), 'sealing follows the final round');
  must((after.phase === 'NeedsOperator') === (after.left !== undefined), 'who called the operator is known');
  must(
    after.phase === 'NeedsOperator' || (after.trouble ?? after.resolution) === undefined,
    'trouble ends with its phase',
  );
  must(
    !after.commitment || !after.pointChange,
    'nothing is changed once it is committed, nor committed while it changes',
  );
  must(after.phase !== 'ChangingPoint' || after.pointChange !== undefined, 'a person chose the other point');
  must(after.phase !== 'ChangingPoint' || after.evidence === undefined, 'stale evidence counts for no commit (S2)');
  must(
    after.phase !== 'ChangingPoint' || !before.targetLive || after.pointChange?.acceptLoss === true,
    'loss was accepted before the point changes (S5)',
  );
  must(before.lostSince === undefined || after.lostSince === before.lostSince, 'what was lost stays told (S5)');
  must(!(after.targetLive && after.cancellation) || after.cancellation.acceptLoss, 'loss was accepted (S5)');
  must(after.refusals.length <= 50, 'refusals are bounded');
  must(
    !after.reassignment || !sealedOrBack.has(standing(after)),
    'no mover changes once the disks are sealed or go back',
  );
  must(
    after.mover === before.mover || !sealedOrBack.has(standing(before)),
    'the mover that wrote them seals them (S9)',
  );
  must(Object.hasOwn(phaseTable, after.phase), 'the phase is in the table');
}

test('S1 S2 S5 S6 S7 no random sequence of messages and steps reaches an illegal state, and together they reach every phase', () => {
  const reached = new Map<Phase, number>();
  fc.assert(
    fc.property(fc.nat({ max: wayHome.length }), fc.array(event, { maxLength: 40 }), (begun, events) => {
      let story: Story = {
        ...beginStory('run-1', m1),
        applicationPoints: [{ after: 1, takenAt: at, changedBytesBefore: 0 }],
      };
      const trail: Phase[] = [story.phase];
      // Most random sequences die at the first gate; so each begins somewhere on the way home, and goes on at random.
      events = [...wayHome.slice(0, begun).flat(), ...events];

      for (const happened of events) {
        const next = apply(story, happened);
        if (next.phase !== story.phase) trail.push(next.phase);
        check(story, next, trail);
        story = next;
      }
      for (const phase of new Set(trail)) reached.set(phase, (reached.get(phase) ?? 0) + 1);
    }),
    { numRuns: sequences, ...replay },
  );
  // A law that is never put to the test in a phase holds nothing there.
  const rare = phases.filter((phase) => (reached.get(phase) ?? 0) < sequences / 1_000);
  if (replay.seed === undefined) expect(rare).toEqual([]);
}, 240_000);

test('L6 from every phase that has not ended an operator has an exit', () => {
  for (const phase of phases) {
    if (isFinal(phase)) continue;
    const story: Story = {
      ...beginStory('run-1', m1),
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
