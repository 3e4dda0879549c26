/**
 * One line a disk: when it was last read again in full, or what the scrub found.
 * Rule: damage stands out; a disk that was never read again in full is said to be so, not left out.
 */
import type { ScrubReport } from '../../model/scrub.ts';
import { bytes, clock, since } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

export function scrubLines(reports: readonly ScrubReport[], now: number, style: Style): string[] {
  return reports.flatMap((report) => {
    const lines = wrap(plain(scrubText(report, now)), style.width - 2, 2).map((line) => `  ${line}`);
    return report.damage === undefined ? lines : lines.map((line) => paint(style, 'red', line));
  });
}

function scrubText({ disk, last, damage, damages, problem }: ScrubReport, now: number): string {
  if (damage !== undefined) return `scrub ${disk}: damaged: ${damage}; it is being copied in full again`;
  const before =
    damages > 0 ? `; damaged ${damages === 1 ? 'once' : `${damages} times`} in this run, copied in full` : '';
  const stands = last
    ? `all ${bytes(last.bytes)} read again and equal (pass ${last.pass}, ended ${clock(last.endedAt, now)}, ${since(last.endedAt, now)} ago)`
    : 'not yet read again in full';
  return `scrub ${disk}: ${stands}${before}${problem === undefined ? '' : `; last try: ${problem}`}`;
}
