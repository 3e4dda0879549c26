/**
 * `npm run lab` before the lab is open: too much is refused before anything is made, and an end is heard at once.
 * Rule: the real program runs as a process of its own, with a temporary folder of its own that must be empty again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(__dirname, '..', '..', 'lab', 'open.ts');
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-open-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

function open(...args: string[]): { child: ChildProcess; said: () => string } {
  const { NODE_OPTIONS: _ours, ...env } = process.env;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    env: { ...env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { child, said: () => text };
}

test.each(['machines', 'movers'])(
  'a lab of more %s than a computer carries is refused with the reason',
  async (what) => {
    const { child, said } = open(`--${what}`, '1000');
    const [code] = await once(child, 'close');
    expect(said()).toMatch(new RegExp(`--${what} 1000 is more than .*: each `));
    expect(code).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  },
);

test('a lab that is asked to end while it opens ends soon, has said how far it was, and leaves no folder', async () => {
  const { child, said } = open('--small', '--machines', '50', '--no-workers');
  const ended = once(child, 'close');
  while (!/machine \d+ of 50/.test(said()) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const askedAt = Date.now();
  child.kill('SIGTERM');
  const [code] = await ended;
  expect(said()).toContain('Closing the lab');
  expect(said()).not.toContain('The lab is open');
  expect(code).toBe(0);
  expect(Date.now() - askedAt).toBeLessThan(10_000);
  expect(await readdir(folder)).toEqual([]);
});
