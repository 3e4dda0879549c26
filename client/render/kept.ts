/**
 * What is kept of committed runs, below the list of the machines: until when, where, and how it ends sooner.
 * Rule: shown only when there is something; what could not be deleted is told with the reason.
 */
import type { KeptRun } from '../../model/kept.ts';
import { clock, count } from './figures.ts';
import { paint, plain, type Style } from './paint.ts';
import { table } from './table.ts';

function stands({ until, releasedBy, trouble }: KeptRun, now: number): string {
  const when = releasedBy ? `released by ${releasedBy}` : `until ${clock(until, now)}`;
  return trouble ? `${when}; COULD NOT BE DELETED: ${trouble}` : when;
}

/** Empty when nothing is kept. */
export function keptLines(kept: readonly KeptRun[], now: number, style: Style): string[] {
  const [first] = kept;
  if (!first) return [];
  const cells = kept.map((one) => [
    one.machine,
    `${count(one.snapshots.length, 'snapshot')} in ${one.source}`,
    stands(one, now),
    one.workflow,
  ]);
  return [
    '',
    paint(style, 'bold', 'Final snapshots that are kept (and paid for) after a commit'),
    table(['machine', 'what', 'kept', 'workflow'], cells, style),
    `To delete them now: temporal workflow signal -w ${plain(first.workflow)} --name release --input '{"by":"you"}'`,
  ];
}
