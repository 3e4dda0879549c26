/**
 * The gate *commit*: waits for a person while the machine serves at home.
 * Rule: what the watch over the source finds (workflows/source-watch.ts) calls an operator, held or not, and keeps the
 * commit out until then; it never reaches the commit as a surprise (S1). Never commits by itself (L4): a commit that a
 * person approved beforehand is said in that person's name, and only when the probes held (workflows/soaking.ts).
 */
import { condition } from '@temporalio/workflow';
import type { Journey } from './departure.ts';
import { beginSoak } from './soaking.ts';

/** Returns when a person has committed and nobody holds the run. */
export async function untilCommitted(journey: Journey): Promise<void> {
  const { teller, course } = journey;
  const endSoak = beginSoak(journey);
  await course.wait(() => condition(() => teller.story.commitment !== undefined && teller.story.held === undefined));
  endSoak();
}
