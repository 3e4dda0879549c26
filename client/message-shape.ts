/**
 * Whether what a person typed has the shape that a message must have, before anybody is asked or anything is opened.
 * Rule: the shapes are the law's (model/message.ts); what is missing yet may still be filled in until it is sent.
 */

import { type Message, messageShapes } from '../model/message.ts';
import { shapeWords } from '../model/shape-words.ts';
import { Problem } from './problem.ts';

/** Throws Problem `usage` with the option that is wrong. `whole`: it is sent as it is. */
export function assertShape(machine: string, { name, ...said }: Message, whole: boolean): void {
  const payload = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const shape = whole ? messageShapes[name] : messageShapes[name].partial();
  const issue = shape.safeParse(payload, { error: shapeWords }).error?.issues[0];
  if (!issue) return;
  throw new Problem(
    'usage',
    `${name} cannot be sent: --${issue.path.join('.')}: ${issue.message}`,
    `Correct the option and send it again; nothing was sent to ${machine}.`,
  );
}
