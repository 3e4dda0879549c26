/**
 * The gate *commit*: waits for a person while the machine serves at home.
 * Rule: what the watch over the source finds (workflows/source-watch.ts) calls an operator, held or not, and keeps the
 * commit out until then; it never reaches the commit as a surprise (S1). Never commits by itself (L4).
 */
import { condition } from '@temporalio/workflow';
import type { Journey } from './departure.ts';

/** Returns when a person has committed and nobody holds the run. */
export async function untilCommitted({ teller, course }: Journey): Promise<void> {
  await course.wait(() => condition(() => teller.story.commitment !== undefined && teller.story.held === undefined));
}
