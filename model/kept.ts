/**
 * What a run keeps of its final snapshots after the commit, as the memo of the workflow that deletes them tells it.
 * Rule: it is readable without a worker, and from outside, so it is checked before it is believed.
 */
import { z } from 'zod';
import { keptWorkflowId } from './failback-input.ts';

export const keptWorkflow = 'keptSnapshots';

const keptMemo = z.object({
  machine: z.string(),
  /** The run that was committed. */
  run: z.string(),
  /** Where the machine came from, `<site>:<path>`. */
  source: z.string(),
  snapshots: z.array(z.string()),
  /** ISO 8601. */
  until: z.string(),
  /** Who had them deleted before their day. */
  releasedBy: z.string().optional(),
  /** Why they could not be deleted the last time. */
  trouble: z.string().optional(),
});

export type KeptMemo = z.infer<typeof keptMemo>;

export interface KeptRun extends KeptMemo {
  /** The workflow that deletes them. */
  readonly workflow: string;
}

/** Undefined when it is not what such a workflow writes. */
export function keptRunOf(memo: unknown): KeptRun | undefined {
  const { data } = keptMemo.safeParse(memo);
  return data && { ...data, workflow: keptWorkflowId(data.machine, data.run) };
}
