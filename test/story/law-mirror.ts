/**
 * The law beside a run on the real server: what it would say of a message to a run that stands as its status says.
 * Rule: model/transition.ts is asked and nothing is decided here, so a run that differs from the law is seen.
 */
import { toldStory } from '../../client/told-story.ts';
import { type Message, type MessageName, messageNames, parseMessage } from '../../model/message.ts';
import { pointChoices } from '../../model/point.ts';
import type { Status } from '../../model/status.ts';
import { type Decision, hear, type Refusal, refuse, type Story } from '../../model/transition.ts';

/** Written over by `timeless`; the law only copies it. */
const at = '2026-01-01T00:00:00.000Z';

/** The story a status tells of. `path`: of the mover that has the machine, which the status does not tell. */
export const storyOf = (status: Status, path: string): Story => ({
  ...toldStory(status),
  mover: { name: status.mover, path },
  refusals: status.refusals,
});

/** A story without its refusals: what a refused message must not change. */
export const withoutRefusals = ({ refusals: _refusals, ...story }: Story): Omit<Story, 'refusals'> => story;

/** The same story but for the moments at which approvals were given. */
export const timeless = (story: Story): unknown =>
  JSON.parse(JSON.stringify(withoutRefusals(story), (key, value) => (key === 'at' ? at : value)));

export interface Said {
  readonly name: MessageName;
  readonly payload: unknown;
  /** The law says so. `malformed`: it never gets as far as the law. */
  readonly verdict: 'taken' | 'known' | 'refused' | 'malformed';
  readonly reason?: string;
  /** How the story goes on. */
  readonly story: Story;
}

/** What becomes of it as a signal, which is told of a malformed message too. */
export function judged(story: Story, name: MessageName, payload: unknown): Said {
  const parsed = parseMessage(name, payload);
  if ('problem' in parsed)
    return {
      ...{ name, payload, verdict: 'malformed', reason: parsed.problem },
      story: refuse(story, name, 'unknown', at, parsed.problem),
    };
  const decision = hear(story, parsed.message, at);
  const { story: next, reason } = decision;
  return { name, payload, verdict: verdictOf(decision), story: next, ...(reason === undefined ? {} : { reason }) };
}

function verdictOf({ accepted, reason }: Decision): 'taken' | 'known' | 'refused' {
  if (!accepted) return 'refused';
  return reason === undefined ? 'taken' : 'known';
}

/** What the message would leave in the list of refusals; undefined when it is not refused. */
export function refusalBy(said: Said): Omit<Refusal, 'at'> | undefined {
  if (said.verdict !== 'refused' && said.verdict !== 'malformed') return undefined;
  const { at: _at, ...last } = said.story.refusals.at(-1) as Refusal;
  return last;
}

type Contents = readonly [MessageName, unknown];
const good = (message: Omit<Message, 'by'>): Contents => {
  const { name, ...rest } = message;
  return [name, { by: 'ana', ...rest }];
};

/** Every message in every way of saying it well, to this run as it stands. */
export function wellSaid({ run, evidence }: Story): readonly Contents[] {
  const plain = messageNames
    .filter((name) => name !== 'resolve' && name !== 'reassign' && name !== 'changePoint')
    .map((name) => good({ name }));
  return [
    ...plain,
    ...plain.map(([name]) => good({ name, run, note: 'said again with the right run' })),
    good({ name: 'commit', evidence: evidence ?? '0'.repeat(64) }),
    good({ name: 'cancel', acceptLoss: true }),
    ...pointChoices.flatMap((point) => [
      good({ name: 'changePoint', point }),
      good({ name: 'changePoint', point, acceptLoss: true }),
    ]),
    ...(['retry', 'undo', 'skip'] as const).map((action) => good({ name: 'resolve', action })),
    good({ name: 'reassign', mover: 'mover-1', path: '/DC0/vm/the-one-that-has-it' }),
    good({ name: 'reassign', mover: 'mover-9', path: '/DC0/vm/nobody-knows-it' }),
  ];
}

/** Every message for another run, and every one malformed in a way of its own. */
export function illSaid(evidence: string | undefined): readonly Contents[] {
  const stranger = { by: 'ben', run: 'another-run' };
  const foreign = messageNames.map((name): Contents => {
    if (name === 'resolve') return [name, { ...stranger, action: 'retry' }];
    if (name === 'changePoint') return [name, { ...stranger, point: 'latest' }];
    return [name, name === 'reassign' ? { ...stranger, mover: 'mover-9', path: '/DC0/vm/x' } : stranger];
  });
  return [
    ...foreign,
    ['commit', { by: 'ben', evidence: evidence === undefined ? 'f'.repeat(64) : `${evidence}0` }],
    ['completeFailover', undefined],
    ['completeFailover', 'ben'],
    ['commit', { by: '   ' }],
    ['commit', { by: 'ben', evidence: 7 }],
    ['cancel', { by: 'ben', acceptLoss: 'yes' }],
    ['cancel', { acceptLoss: true }],
    ['changePoint', { by: 'ben' }],
    ['changePoint', { by: 'ben', point: 'yesterday' }],
    ['hold', { by: 'ben', until: 'tomorrow' }],
    ['resume', { by: ['ben'] }],
    ['resolve', { by: 'ben' }],
    ['resolve', { by: 'ben', action: 'again' }],
    ['reassign', { by: 'ben', mover: 'mover-2' }],
    ['reassign', { by: 'ben', mover: '', path: '/DC0/vm/mover-2' }],
  ];
}
