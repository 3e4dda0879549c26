/**
 * The gate *commit*: waits for a person while the machine serves at home.
 * Rule: what the watch over the source finds (workflows/source-watch.ts) calls an operator, held or not, and keeps the
 * commit out until then; it never reaches the commit as a surprise (S1). Never commits by itself (L4): a commit that a
 * person approved beforehand is said in that person's name, and only when the probes held (workflows/soaking.ts).
 */
import { condition } from '@temporalio/workflow';
import type { Story } from '../model/transition.ts';
import type { Journey } from './departure.ts';
import { beginSoak } from './soaking.ts';

/** Returns when a person has committed and nobody holds the run. Throws PointChanged when a person wants another point. */
export async function untilCommitted(journey: Journey): Promise<void> {
  const { teller, course } = journey;
  const endSoak = beginSoak(journey);
  const answered = ({ commitment, pointChange, held }: Story): boolean =>
    (commitment ?? pointChange) !== undefined && !held;
  try {
    await course.wait(async () => {
      // Another point that cannot be taken is withdrawn, one that was held in the look stands: a person is waited for as before.
      do {
        await condition(() => answered(teller.story));
        if (course.pointWished) await course.turnToPoint();
      } while (course.pointWished || !answered(teller.story));
    });
  } finally {
    endSoak();
  }
}
