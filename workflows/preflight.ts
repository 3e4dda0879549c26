/**
 * Preflight alone: asks both sides whether the way home is clear, and ends. Changes nothing.
 */
import type { Check } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { controlVerbs, summary } from './verbs.ts';

export async function preflight(input: FailbackInput): Promise<readonly Check[]> {
  const answer = await controlVerbs(input).observePreflight.executeWithOptions(
    summary(`Is the way home clear? ${input.source.path} → ${input.target.path}`),
    [input],
  );
  return answer.checks;
}
