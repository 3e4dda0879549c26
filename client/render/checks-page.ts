/**
 * A preflight as a page of its own, to be kept, sent and printed: when and against what it was asked, what stands in the way
 * and what to do about it, and every check with what was seen.
 * Rule: it says no more and no less than the answer; what stands in the way comes first, with its remedy.
 */
import { type Check, type Verdict, verdictOf } from '../../model/check.ts';
import { clock, count, duration } from './figures.ts';
import { page, safe } from './page.ts';

export interface PreflightPage {
  readonly machine: string;
  readonly source: { readonly site: string; readonly path: string };
  readonly target: { readonly site: string; readonly path: string };
  readonly mover: { readonly name: string; readonly path: string };
  readonly way: { readonly sync: string; readonly write: string };
  /** To the machine it was or to a new one, in words. */
  readonly location: string;
  /** Epoch milliseconds, by the clock of whoever asked. */
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly by: string;
  /** Temporal's id of the question. */
  readonly askedAs: string;
  readonly version: string;
  readonly checks: readonly Check[];
  /** What would have to be moved, in words. */
  readonly bound?: string | undefined;
  /** The phase of a run that is under way, whose own work the checks see. */
  readonly underWay?: string | undefined;
}

const order: readonly Verdict[] = ['refuse', 'wait', 'warn', 'pass'];

const mark = (verdict: Verdict): string => `<span class="mark ${verdict}">${verdict}</span>`;

export function preflightPage(seen: PreflightPage): string {
  const { machine, checks } = seen;
  const sorted = order.flatMap((verdict) => checks.filter((check) => check.verdict === verdict));
  const body = [
    `<header><h1>Preflight of ${safe(machine)}</h1>`,
    verdictLine(seen),
    facts(seen),
    `</header><ul class="counts">${order.map((verdict) => countOf(checks, verdict)).join('')}</ul>`,
    inTheWay(sorted),
    table(sorted),
    '<footer><p>The checks only looked; nothing was changed. They show the moment they were asked: a run asks again when it starts, and before its cutover.</p></footer>',
  ];
  return page(`Preflight of ${machine}, ${new Date(seen.answeredAt).toISOString()}`, body.join('\n'));
}

const countOf = (checks: readonly Check[], verdict: Verdict): string =>
  `<li>${mark(verdict)} ${checks.filter((check) => check.verdict === verdict).length}</li>`;

function verdictLine({ machine, checks, underWay }: PreflightPage): string {
  const name = safe(machine);
  if (underWay !== undefined)
    return `<p class="verdict warn">A run of ${name} is under way, in phase ${safe(underWay)}. What it has made itself (open disks, marks, disks on the mover) is told as its own.</p>`;
  const said = {
    clear: `<p class="verdict pass">Clear: ${name} may come home.</p>`,
    waits: `<p class="verdict wait">Waits: ${name} may come home once what it waits for is there; a run asks again by itself.</p>`,
    blocked: `<p class="verdict refuse">Blocked: ${name} cannot come home yet.</p>`,
  };
  return said[verdictOf(checks)];
}

function facts(seen: PreflightPage): string {
  const { source, target, location, mover, way, askedAt, answeredAt } = seen;
  const rows: [string, string | undefined][] = [
    ['From', `${source.site}, ${source.path}`],
    ['To', `${target.site}, ${target.path}`],
    ['Location', location],
    ['Mover', `${mover.name}, ${mover.path}`],
    ['Way', `sync ${way.sync}, write ${way.write}`],
    ['Bytes', seen.bound],
    [
      'Asked',
      `${new Date(askedAt).toISOString().slice(0, 10)} ${clock(new Date(askedAt).toISOString(), askedAt)}, answered in ${duration(answeredAt - askedAt)}`,
    ],
    ['By', seen.by],
    ['In Temporal', seen.askedAs],
    ['With', seen.version],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : `<dt>${name}</dt><dd>${safe(text)}</dd>`));
  return `<dl>${lines.join('')}</dl>`;
}

/** What was seen; a wait with its times. */
const seenText = ({ seen, wait }: Check): string =>
  wait ? `${safe(seen)}<br><span class="soft">since ${safe(wait.since)}, until ${safe(wait.until)}</span>` : safe(seen);

function inTheWay(sorted: readonly Check[]): string {
  const blockers = sorted.filter(({ verdict }) => verdict === 'refuse' || verdict === 'wait');
  if (blockers.length === 0) return '';
  const items = blockers.map(
    (check) =>
      `<li>${mark(check.verdict)} <code>${safe(check.id)}</code> ${safe(check.subject)}<p>${seenText(check)}</p><p><strong>What to do:</strong> ${safe(check.remedy ?? '')}</p></li>`,
  );
  return `<section><h2>What stands in the way</h2><ol class="ways">${items.join('')}</ol></section>`;
}

function table(sorted: readonly Check[]): string {
  const rows = sorted.map((check) => {
    const requirement = check.requirement ? `<br><span class="soft">${safe(check.requirement)}</span>` : '';
    const cells = [
      mark(check.verdict),
      `<code>${safe(check.id)}</code>${requirement}`,
      safe(check.subject),
      seenText(check),
      safe(check.remedy ?? ''),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const heads = ['Verdict', 'Check', 'Looked at', 'Seen', 'What to do'].map((name) => `<th scope="col">${name}</th>`);
  return `<section><h2>All checks</h2><table><caption>${count(sorted.length, 'check')}, what stands in the way first</caption><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></section>`;
}
