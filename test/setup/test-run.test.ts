/**
 * `npm test` itself: what it says at its end is all it says, and it leaves nothing in the temporary folder.
 * Rule: the real runner runs a small file of tests as a process of its own.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

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

/** State and parent of a process, as the system tells (Linux); one that has ended is nobody's. */
async function seenOf(id: string | number): Promise<{ runs: boolean; parent: number }> {
  const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => ') Z 0');
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { runs: state !== 'Z', parent: Number(parent) };
}

/** Processes below the one. */
async function below(pid: number): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((id) => /^\d+$/.test(id));
  const seen = await Promise.all(ids.map(seenOf));
  const children = ids.map(Number).filter((_id, at) => seen[at]?.runs && seen[at].parent === pid);
  return [...children, ...(await Promise.all(children.map(below))).flat()];
}

const haveProc = existsSync('/proc/self/stat');
(haveProc ? test : test.skip)(
  'a run of the tests that is ended takes its workers along, which do not play their files to the end',
  async () => {
    const { NODE_OPTIONS: _options, JEST_WORKER_ID: _worker, ...env } = process.env;
    // Two files, so that there are workers; each takes longer than this test waits.
    const files = ['test/model/law-random.test.ts', 'test/disk/equality.test.ts'];
    const run = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'test/run.ts', ...files], {
      cwd: root,
      env,
      stdio: 'ignore',
    });
    const busy = async (): Promise<number[]> => await below(run.pid ?? 0);
    let seen: number[] = [];
    while (seen.length < 3) {
      seen = await busy();
      await pause(50);
    }
    run.kill('SIGTERM');
    await once(run, 'exit');
    const left = async (): Promise<number[]> => {
      const states = await Promise.all(seen.map(seenOf));
      return seen.filter((_pid, at) => states[at]?.runs);
    };
    for (const end = Date.now() + 4_000; (await left()).length > 0 && Date.now() < end; ) await pause(50);
    expect(await left()).toEqual([]);
  },
  60_000,
);
