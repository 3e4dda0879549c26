/**
 * Keeps the last column of docs/requirements.md and of docs/promises.md true: which test files carry an id in a test's name.
 * Rule: a row without a test says why (docs/requirement-reasons.ts) or "not yet", one that is shown in part says what is not; nobody writes that column by hand.
 * Run: node docs/generate-requirements.ts
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notShown, reasons } from './requirement-reasons.ts';

const root = join(import.meta.dirname, '..');
const documents = ['docs/requirements.md', 'docs/promises.md'];

/** Test files by the ids their test names carry. */
function showing(): Map<string, string[]> {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'test'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
  const found = new Map<string, string[]>();
  for (const file of files)
    for (const name of readFileSync(join(root, file), 'utf8').matchAll(
      /\b(?:test|it|thorough)(?:\.each(?:<[^`(]*?>)?\([^`]*?\))?\(\s*(['"`])(.*?)\1/gs,
    ))
      for (const id of new Set((name[2] ?? '').match(/\b(?:S\d{3}-\d+|[SLCR]\d{1,2})\b/g) ?? []))
        found.set(id, [...new Set([...(found.get(id) ?? []), file])]);
  return found;
}

/** The document with its last column as the tests are now. */
export function withTests(document: string): string {
  const shown = showing();
  const last = (id: string): string => {
    const files = (shown.get(id) ?? []).map((file) => `\`${file}\``).join(', ');
    if (files === '') return reasons[id] ?? 'not yet';
    return notShown[id] === undefined ? files : `${files} (${notShown[id]})`;
  };
  return readFileSync(join(root, document), 'utf8').replace(
    /^\| ((?:S\d{3}-\d+|[SLCR]\d{1,2})) \|(.*)\|[^|]*\|$/gm,
    (_row, id: string, middle: string) => `| ${id} |${middle}| ${last(id)} |`,
  );
}

export const documentsWithTests = (): string[] => documents;

if (import.meta.main) for (const document of documents) writeFileSync(join(root, document), withTests(document));
