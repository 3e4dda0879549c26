/**
 * Preflight alone: asks both sides whether the way home is clear, and ends. Changes nothing.
 */
import type { PreflightReport } from '../model/check.ts';
import type { PreflightQuestion } from '../model/failback-input.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askWholeWay } from './whole-way.ts';

export async function preflight(input: PreflightQuestion): Promise<PreflightReport> {
  const answer = await askWholeWay(input, () =>
    controlVerbs(input).observePreflight.executeWithOptions(
      summary(`Is the way home clear? ${input.source.path} → ${input.target.path}`),
      [input],
    ),
  );
  return { checks: answer.checks, sizesBytes: answer.pairs.map((pair) => pair.source.sizeBytes) };
}
