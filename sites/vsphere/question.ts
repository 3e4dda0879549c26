/**
 * A machine that asks a question stays half started for ever, and with it whatever waits for its task: the question goes to a
 * person (L1). No task reports it, so the machine itself is looked at between two turns of a wait.
 */
import { refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { lookAt, type Machine, type Vcenter } from './inventory.ts';
import type { Turns } from './tasks.ts';

const turnSeconds = 5;

/** `op`: what a person is told could not be done meanwhile. */
export const noQuestion = (at: Vcenter, { ref, path: subject }: Machine, op: string, work: Work): Turns => ({
  turnSeconds,
  onTurn: async () => {
    // A look that fails ends no wait: what is waited for may have its effect still (S5), and the next turn looks again.
    const seen = await lookAt(at, ref, subject, work).catch(() => undefined);
    if (seen?.question === undefined) return;
    throw refused({
      op,
      subject,
      message: `${seen.name} asks: ${seen.question}`,
      hint: 'Answer the question in the vSphere Client, then retry this step.',
    });
  },
});
