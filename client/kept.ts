/**
 * The runs that keep final snapshots after a commit until their day, as the server itself tells them.
 * Rule: read from the server's list, which lags behind by a moment; no worker is asked.
 */
import { memoNames } from '../model/failback-input.ts';
import { type KeptRun, keptRunOf, keptWorkflow } from '../model/kept.ts';
import { asProblem, type Link } from './connect.ts';

const lookTimeoutMs = 8_000;
const open = `WorkflowType = '${keptWorkflow}' AND ExecutionStatus = 'Running'`;

/** All that are under way, the first to be deleted first. Throws Problem `unreachable`. */
export async function keptRuns(link: Link): Promise<KeptRun[]> {
  const list = async (): Promise<KeptRun[]> => {
    const found: KeptRun[] = [];
    for await (const { memo } of link.client.workflow.list({ query: open })) {
      const kept = keptRunOf(memo?.[memoNames.kept]);
      if (kept) found.push(kept);
    }
    return found.sort((one, other) => Date.parse(one.until) - Date.parse(other.until));
  };
  try {
    return await link.within(lookTimeoutMs, list);
  } catch (error) {
    throw asProblem(error, 'the final snapshots', link.settings);
  }
}
