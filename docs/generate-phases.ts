/**
 * Writes docs/phases.md from the table in model/phase.ts; the tidy test says when it is out of date.
 * Run: node docs/generate-phases.ts
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { phases, phaseTable } from '../model/phase.ts';

const cancelWords = {
  end: 'ends, nothing to undo',
  undo: 'undo',
  loss: 'only with the explicit loss flag',
  none: 'no',
} as const;

const reassignWords = { 'at-once': 'yes', 'moves-disks': 'yes, copies in full', no: 'no' } as const;

export function phasesDocument(): string {
  const rows = phases.map((phase) => {
    const rule = phaseTable[phase];
    const gate = rule.gate ? `*${rule.gate}*` : '';
    const next = phase === 'NeedsOperator' ? 'the phase it left, or Undoing' : rule.next.join(', ') || 'end';
    return `| ${phase} | ${rule.serves} | ${rule.targetDisks} | ${gate} | ${cancelWords[rule.cancel]} | ${rule.holdable ? 'yes' : 'no'} | ${reassignWords[rule.reassign]} | ${next} | ${rule.says} |`;
  });
  return [
    '# The phases of a failback',
    '',
    'Generated from `model/phase.ts` by `docs/generate-phases.ts`; do not edit by hand.',
    '',
    'Every phase that can be cancelled also leads to Undoing, and every phase that has not ended to NeedsOperator.',
    '',
    '| phase | serves | target disks | gate | cancel | hold | reassign | next | what an SRE should know |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main) await writeFile(join(import.meta.dirname, 'phases.md'), phasesDocument());
