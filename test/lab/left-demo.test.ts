/**
 * Ctrl-C in `npm start`, in the middle of the first copy: as a terminal sends it, to everything that was started at once.
 * Rule: the real program runs in a group of its own, with a temporary folder of its own that must be empty again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(__dirname, '..', '..', 'lab', 'demo.ts');

test('S11 whoever leaves the demo in the middle of a copy is told so in one sentence, and nothing stays behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-left-'));
  const { NODE_OPTIONS: _ours, ...env } = process.env;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, '--yes'], {
    env: { ...env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = once(child, 'close');
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  try {
    while (!/erp-db Seeding/.test(text) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50));
    // By now the watch has always a question out, or is about to ask the next one.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = text.length;
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const [code] = await ended;
    // What was said before about how long something takes may be said once more.
    const said = text
      .slice(before)
      .split('\n')
      .filter((line) => line !== '' && !/^(closing the lab|\S+Z erp-db) /.test(line));
    expect(said).toEqual(['You left: the lab is gone, with all that was in it.']);
    expect(code).toBe(130);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
