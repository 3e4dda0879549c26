/**
 * THE LAW, part two: what people may say to a run, and the shape each message must have.
 * Rule: a message is data from outside until it was parsed here; a malformed one changes nothing (S7).
 */

import { z } from 'zod';
import { type PointChoice, pointChoices } from './point.ts';
import { shapeWords } from './shape-words.ts';

/** Longer than any run id or digest. */
const reference = z.string().max(200);
const person = z.string().trim().min(1, 'say who you are').max(200);
const shared = {
  by: person.describe('Who says it; goes into the record.'),
  note: z.string().max(1_000).optional().describe('Why; goes into the record.'),
  run: reference.optional().describe('The run it is meant for; refused when another run is under way.'),
};

const longestProblem = 200;

/** Who begins a run, and why; of the shape that each message has. */
export const startedByShape = z.strictObject({ by: shared.by, note: shared.note });

export const messageShapes = {
  completeFailover: z.strictObject({
    ...shared,
    point: z
      .enum(pointChoices)
      .optional()
      .describe(
        'Which moment comes home: the latest (default), or the newest application-consistent one, which is older.',
      ),
  }),
  commit: z.strictObject({
    ...shared,
    evidence: reference
      .min(1, 'name the digest that is approved, or leave it out')
      .optional()
      .describe('The evidence digest that is approved.'),
  }),
  cancel: z.strictObject({
    ...shared,
    acceptLoss: z.boolean().optional().describe('Accept that what was written on the target since its start is lost.'),
  }),
  changePoint: z.strictObject({
    ...shared,
    point: z.enum(pointChoices).describe('Which moment is to be at home instead of the one that is.'),
    acceptLoss: z.boolean().optional().describe('Accept that what was written on the target since its start is lost.'),
  }),
  hold: z.strictObject({ ...shared }),
  resume: z.strictObject({ ...shared }),
  resolve: z.strictObject({
    ...shared,
    action: z.enum(['retry', 'undo', 'skip']),
    since: reference.optional().describe('Which call it answers: "since" of the trouble; refused when another stands.'),
  }),
  reassign: z.strictObject({
    ...shared,
    mover: z.string().min(1).max(63).describe('The mover that is to carry the machine from now on.'),
    path: reference.min(1).describe('The inventory path of its appliance, as homeward.yaml has it.'),
  }),
} as const;

export const messageNames = Object.keys(messageShapes) as MessageName[];
export type MessageName = keyof typeof messageShapes;

export interface Message {
  readonly name: MessageName;
  readonly by: string;
  readonly note?: string | undefined;
  readonly run?: string | undefined;
  readonly evidence?: string | undefined;
  readonly acceptLoss?: boolean | undefined;
  readonly action?: 'retry' | 'undo' | 'skip' | undefined;
  readonly since?: string | undefined;
  readonly mover?: string | undefined;
  readonly path?: string | undefined;
  readonly point?: PointChoice | undefined;
}

/** What each message does, for the Temporal UI's dialog and the CLI's help. */
export const messageMeaning: Readonly<Record<MessageName, string>> = {
  completeFailover:
    'Stop the source, move the last changes and start the machine at home. {"by":"you"}; an older moment, at which its applications held still, with "point":"application-consistent"',
  commit: 'Keep the machine at home and delete the source. No way back. {"by":"you"}',
  cancel: 'Take everything back; the source serves. After the target went live add "acceptLoss":true. {"by":"you"}',
  changePoint:
    'After the machine was started at home: stop it, take its disks to another point and start it again; what was written at home is lost. {"by":"you","point":"application-consistent","acceptLoss":true} or "latest"',
  hold: 'Do nothing more until resumed. {"by":"you"}',
  resume: 'Go on after a hold. {"by":"you"}',
  resolve:
    'Answer a call for an operator. {"by":"you","action":"retry"} or "undo"; a step of the undo or of the clean-up may be left out with "skip"',
  reassign:
    'Let another mover of the same site carry the machine; it copies every disk in full. {"by":"you","mover":"mover-2","path":"/DC0/vm/mover-2"}',
};

/** Parses what came from outside; `problem` says in one sentence what is wrong with it. */
export function parseMessage(name: MessageName, payload: unknown): { message: Message } | { problem: string } {
  const parsed = messageShapes[name].safeParse(payload ?? {}, { error: shapeWords });
  if (parsed.success) return { message: { name, ...parsed.data } };
  const issue = parsed.error.issues[0];
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  // Quotes keys from outside, which may be of any length.
  const what = `${where}${issue?.message ?? 'not an object'}`.slice(0, longestProblem);
  return { problem: `malformed: ${what}; expected ${messageMeaning[name]}` };
}
