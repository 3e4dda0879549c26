/**
 * `npm run check`: types, format and lint, and the tidy test; under 15 seconds.
 * Rule: all three run even when one fails, so that one look shows everything.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (path: string): string => join(root, 'node_modules', path);
const checks: readonly (readonly [string, readonly string[]])[] = [
  ['types', [bin('typescript/bin/tsc'), '--noEmit', '-p', root]],
  ['format and lint', [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', root]],
  ['tidy', [bin('jest/bin/jest.js'), '--silent', 'test/tidy']],
];

const run = (args: readonly string[]): Promise<number> =>
  new Promise((resolve) => {
    spawn(process.execPath, [...args], { cwd: root, stdio: 'inherit' }).on('close', (code) => resolve(code ?? 1));
  });

const codes = await Promise.all(checks.map(([, args]) => run(args)));
for (const [index, [name]] of checks.entries()) console.log(`${codes[index] === 0 ? 'ok    ' : 'FAILED'} ${name}`);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
