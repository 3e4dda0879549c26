/**
 * Words for a machine that an earlier run committed home: by them nobody looks for a source that is gone on purpose.
 * Rule: only Temporal knows of that commit, so the client says it; what the checks saw stays as they saw it.
 */
import type { Check } from '../model/check.ts';
import type { View } from './view.ts';

type Commit = NonNullable<View['committed']>;

export const committedText = ({ run, at }: Commit): string =>
  `was committed home at ${at} by run ${run}: it serves on-prem, and its source was deleted`;

export const committedTodo = (machine: string, { run }: Commit): string =>
  `Look: homeward failback evidence ${machine} --run ${run}. If it was failed over anew since: homeward failback start ${machine} --again`;

const sourceFound = 'source-found';

/** The checks of a machine with an earlier commit, that fact first. A source that is there again makes it a warning. */
export function afterCommit(machine: string, commit: Commit, checks: readonly Check[]): Check[] {
  const gone = checks.some(({ id, verdict }) => id === sourceFound && verdict === 'refuse');
  const first: Check = {
    id: 'not-home-already',
    verdict: gone ? 'refuse' : 'warn',
    subject: machine,
    seen: `it ${committedText(commit)}`,
    remedy: committedTodo(machine, commit),
  };
  const remedy = 'Nothing, when no failover was made since: the commit deleted it. The first check says more.';
  return [first, ...checks.map((one) => (gone && one.id === sourceFound ? { ...one, remedy } : one))];
}
