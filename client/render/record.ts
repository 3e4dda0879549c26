/**
 * Draws the record of a run, entry by entry, and whether it holds.
 * Rule: digests are shown in full where someone may have to compare them, shortened nowhere else than in the list.
 */
import type { EvidenceEntry } from '../../model/evidence.ts';
import type { RecordVerdict } from '../record.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

export function renderRecord(entries: readonly EvidenceEntry[], style: Style): string {
  return entries.flatMap((entry) => entryLines(entry, style)).join('\n');
}

function entryLines(entry: EvidenceEntry, style: Style): string[] {
  const facts = Object.entries(entry.facts).map(([name, value]) => `${name}=${plain(String(value))}`);
  const head = `${String(entry.seq).padStart(3)}  ${entry.at}  ${plain(entry.key)}  ${paint(style, 'dim', entry.digest.slice(0, 12))}`;
  return [
    head,
    ...wrap(plain(entry.what), style.width - 5).map((line) => `     ${line}`),
    ...(facts.length > 0
      ? wrap(facts.join('  '), style.width - 5).map((line) => paint(style, 'dim', `     ${line}`))
      : []),
  ];
}

export function renderVerdict(verdict: RecordVerdict, style: Style): string {
  const lines = verdict.whole
    ? [`${paint(style, 'green', 'whole')}: ${verdict.entries} entries, each follows from the one before`]
    : [paint(style, 'red', 'broken'), ...verdict.findings.map((finding) => `  ${plain(finding)}`)];
  if (verdict.head) lines.push(`  head      ${verdict.head}`);
  if (verdict.evidence) lines.push(`  evidence  ${verdict.evidence}`);
  return lines.join('\n');
}
