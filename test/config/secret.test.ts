/**
 * Secrets are found where the inventory says, and nothing but the caller ever sees their value (S13).
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveSecret } from '../../config/secret.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-secret-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function secretFile(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return name;
}

const quiet = () => undefined;
const failureOf = (act: () => unknown): Error => {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
};

test.each([
  ['one line break at the end is not part of it', 'pass word\n', 'pass word'],
  ['a Windows line break neither', 'pass\r\n', 'pass'],
  ['only one is taken', 'pass\n\n', 'pass\n'],
  ['spaces are kept', ' pass ', ' pass '],
])('a secret from a file: %s', (_what, text, expected) => {
  expect(resolveSecret({ file: secretFile('s', text) }, folder, quiet)).toBe(expected);
});

test('a secret from the environment is taken as it is', () => {
  process.env.HOMEWARD_TEST_SECRET = 'a b';
  expect(resolveSecret({ env: 'HOMEWARD_TEST_SECRET' }, folder)).toBe('a b');
  delete process.env.HOMEWARD_TEST_SECRET;
});

test('a variable that is not set is named with what to do', () => {
  const failure = failureOf(() => resolveSecret({ env: 'HOMEWARD_TEST_NONE' }, folder));
  expect(failure).toMatchObject({ kind: 'Refused', message: 'the environment variable HOMEWARD_TEST_NONE is not set' });
  expect((failure as Error & { hint: string }).hint).toContain('Set HOMEWARD_TEST_NONE');
});

test('a secret that is missing says which process on which computer lacks it, because any worker may have taken the step', () => {
  const whose = `process ${process.pid} on ${hostname()}`;
  expect(failureOf(() => resolveSecret({ env: 'HOMEWARD_TEST_NONE' }, folder))).toMatchObject({
    subject: `env HOMEWARD_TEST_NONE of ${whose}`,
    hint: expect.stringContaining(whose),
  });
  expect(failureOf(() => resolveSecret({ file: 'none' }, folder))).toMatchObject({
    subject: `file none of ${whose}`,
    hint: expect.stringContaining(hostname()),
  });
});

test.each([
  ['missing', () => ({ file: 'none' }), /does not exist/],
  ['empty', () => ({ file: secretFile('empty', '\n') }), /is empty/],
  ['a folder', () => ({ file: '.' }), /is not a file/],
  ['far too big', () => ({ file: secretFile('big', 'x'.repeat(70_000)) }), /too much for a secret/],
])('a secret file that is %s is refused', (_what, reference, expected) => {
  expect(failureOf(() => resolveSecret(reference(), folder, quiet)).message).toMatch(expected);
});

test('S13 a secret file everyone may open is warned about, without its value', () => {
  const warnings: string[] = [];
  const secret = resolveSecret({ file: secretFile('open', 'hunter2', 0o644) }, folder, (text) => warnings.push(text));
  expect(secret).toBe('hunter2');
  expect(warnings).toEqual([
    `everyone on this computer may open the secret file ${join(folder, 'open')}; run: chmod o-rwx ${join(folder, 'open')}`,
  ]);
});

test('a secret file only its owner may open is not warned about', () => {
  const warnings: string[] = [];
  resolveSecret({ file: secretFile('closed', 'hunter2', 0o640) }, folder, (text) => warnings.push(text));
  expect(warnings).toEqual([]);
});
