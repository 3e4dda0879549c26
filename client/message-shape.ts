/**
 * Whether what a person typed has the shape that a message must have, before anybody is asked or anything is opened.
 * Rule: the shapes are the law's (model/message.ts); what is missing yet may still be filled in until it is sent.
 */

import type { ZodType } from 'zod';
import { type Message, messageShapes, startedByShape } from '../model/message.ts';
import { shapeWords } from '../model/shape-words.ts';
import { Problem } from './problem.ts';

/** Throws Problem `usage` with the option that is wrong. `whole`: it is sent as it is. */
export function assertShape(machine: string, { name, ...said }: Message, whole: boolean): void {
  const payload = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const shape = whole ? messageShapes[name] : messageShapes[name].partial();
  const wrong = wrongIn(shape, payload);
  if (wrong === undefined) return;
  throw new Problem(
    'usage',
    `${name} cannot be sent: ${wrong}`,
    `Correct the option and send it again; nothing was sent to ${machine}.`,
  );
}

/** The same for who starts a run. */
export function assertStartedBy(machine: string, said: { readonly by?: string; readonly note?: string }): void {
  const wrong = wrongIn(startedByShape, { ...said });
  if (wrong === undefined) return;
  throw new Problem('usage', `no run is started: ${wrong}`, `Correct the option; nothing was begun for ${machine}.`);
}

function wrongIn(shape: ZodType, said: object): string | undefined {
  const issue = shape.safeParse(said, { error: shapeWords }).error?.issues[0];
  return issue && `--${issue.path.join('.')}: ${issue.message}`;
}
