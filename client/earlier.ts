/**
 * What the machine's last run measured in its cutover, so that the next one need not assume it.
 * Rule: only forecasts depend on it; when the last run cannot be read, nothing is known and nothing fails.
 */
import { machineWorkflowId } from '../model/failback-input.ts';
import type { Measured } from '../model/forecast.ts';
import type { Link } from './connect.ts';
import { resultOf } from './view.ts';

const lookTimeoutMs = 5_000;

export async function measuredBefore(link: Link, machine: string): Promise<Measured | undefined> {
  const handle = link.client.workflow.getHandle(machineWorkflowId(machine));
  try {
    const { status } = await link.within(lookTimeoutMs, () => handle.describe());
    if (status.name !== 'COMPLETED') return undefined;
    return resultOf(await link.within(lookTimeoutMs, () => handle.result())).status?.measured;
  } catch {
    return undefined; // No earlier run, or none that can be read: the forecast says what it assumes.
  }
}
