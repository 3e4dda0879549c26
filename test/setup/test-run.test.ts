/**
 * `npm test` itself: what it says at its end is all it says, and it leaves nothing in the temporary folder.
 * Rule: the real runner runs a small file of tests as a process of its own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

test('a run of the tests ends with true counts, names no file that is gone, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-runner-'));
  const { NODE_OPTIONS: _options, JEST_WORKER_ID: _worker, ...env } = process.env;
  const ended = await new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'test/run.ts', 'test/model/pairing.test.ts'],
      { cwd: root, env: { ...env, TMPDIR: folder } },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    );
  });
  expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ passed, 0 failed\n$/) });
  expect(ended.err).toContain('PASS test/model/pairing.test.ts');
  expect(ended.err).not.toContain('written to');
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
}, 60_000);
