/**
 * How the final snapshots of a committed run stand, and what the Temporal UI shows of them. Pure.
 * Rule: what is over is told as over, with who said so; nothing is offered that has no effect any more.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import { whatFinalHolds } from '../model/point.ts';

export interface Kept {
  readonly failback: FailbackInput;
  /** The run that was committed. */
  readonly run: string;
  readonly snapshots: readonly string[];
  /** ISO 8601. */
  readonly until: string;
  /** An older point than theirs came home. */
  readonly older?: true;
}

export interface KeptStatus extends Pick<Kept, 'run' | 'snapshots' | 'until' | 'older'> {
  readonly machine: string;
  readonly state: 'kept' | 'deleted';
  /** Who had them deleted before their day. */
  readonly releasedBy?: string;
  readonly trouble?: string;
  /** What was said and not taken, the oldest left out (S7). */
  readonly refusals?: readonly { readonly at: string; readonly reason: string }[];
}

export function keptDetails(status: KeptStatus): string {
  const { machine, run, snapshots, older, state, trouble, releasedBy, refusals = [] } = status;
  return [
    `## Final snapshots of ${machine}: ${state}`,
    `Of run \`${run}\`: ${whatFinalHolds(older === true)}. ${whatBecomes(status)}`,
    '',
    ...snapshots.map((name) => `- \`${name}\``),
    ...(state === 'kept' && releasedBy === undefined
      ? ['', 'To delete them now, send the signal `release`: `{"by":"you"}`']
      : []),
    ...(trouble === undefined || state === 'deleted'
      ? []
      : ['', `**Could not be deleted; tried again later, or at once after another release:** ${trouble}`]),
    ...refusals.map(({ at, reason }) => `- refused at ${at}: ${reason}`),
  ].join('\n');
}

function whatBecomes({ state, until, releasedBy }: KeptStatus): string {
  if (state === 'deleted')
    return releasedBy ? `Released by ${releasedBy} and deleted.` : `Deleted on their day, ${until}.`;
  if (releasedBy) return `Released by ${releasedBy}: being deleted now.`;
  return `Kept in Azure until ${until}; then this run deletes them.`;
}
