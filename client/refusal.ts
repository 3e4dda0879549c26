/**
 * A message that was refused, told to whoever typed it: why, and what would mend that very message.
 * Rule (S2): nothing else is advised, least of all a step without a way back; where nothing mends it, the status says more.
 */
import type { Message } from '../model/message.ts';
import { Problem } from './problem.ts';
import { inOptions } from './render/in-options.ts';

/** `reason`: in the run's own words, or the law's when it was asked here. */
export const refusal = (machine: string, message: Message, reason: string, cause?: unknown): Problem =>
  new Problem(
    'refused',
    // The run says "commit refused: …" itself; once is enough.
    `${machine} refuses ${message.name}: ${inOptions(reason.replace(`${message.name} refused: `, ''))}`,
    /"acceptLoss"/.test(reason)
      ? `To accept that: ${accepting(machine, message)}`
      : `See where it stands: homeward failback status ${machine}`,
    cause,
  );

/** The same again with the flag; of an undo it is the cancel that takes one. */
function accepting(machine: string, { name, point, run }: Message): string {
  const verb = name === 'changePoint' ? 'change-point' : 'cancel';
  const which = name === 'changePoint' && point ? ` --point ${point}` : '';
  return `homeward failback ${verb} ${machine}${which} --accept-loss${run === undefined ? '' : ` --run ${run}`}`;
}
