/**
 * What `npm run …` starts ends with it, however it ends; what was started without npm outlives its shell.
 * Rule: the end is seen by the pipe that closes when the last process has let go of it; nothing is looked up by name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const project = join(__dirname, '..', '..');
const entry = `"${process.execPath}" setup/run.mjs --no-lab test/setup/asked-to-end.ts`;

interface Started {
  readonly shell: ChildProcess;
  /** The entry's own process id. */
  readonly pid: number;
  /** All it said, once nobody holds the pipe any more. */
  readonly said: Promise<string>;
}

/** Starts the entry below a shell that stays beside it, as npm does (`sh -c "node setup/run.mjs …"`). */
async function start(command: string, asNpm: boolean): Promise<Started> {
  const { npm_lifecycle_event: _ours, NODE_OPTIONS: _options, ...env } = process.env;
  const shell = spawn('sh', ['-c', command], {
    cwd: project,
    env: { ...env, ENTRY: entry, ...(asNpm ? { npm_lifecycle_event: 'lab' } : {}) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const first = new Promise<number>((resolve) => {
    shell.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(Number(text.split('\n')[0]));
    });
  });
  const said = once(shell, 'close').then(() => text);
  return { shell, pid: await first, said };
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a shell of npm that ends by %s takes what runs below it along',
  async (signal) => {
    const { shell, pid, said } = await start(`${entry}; exit 7`, true);
    shell.kill(signal);
    expect(await said).toBe(`${pid}\nasked to end\n`);
  },
  30_000,
);

const haveProc = existsSync('/proc/self/stat');
if (!haveProc) process.stderr.write('skipped: this system does not tell a process its grandparent\n');
(haveProc ? test : test.skip)(
  'an npm that is killed takes along what runs below its shell',
  async () => {
    // A process that calls itself as npm does, and runs the entry in a shell of its own.
    const npm = `process.title = 'npm run lab';
    require('node:child_process').spawn('sh', ['-c', process.env.ENTRY + '; exit 7'], { stdio: 'inherit' });
    setInterval(() => undefined, 60_000);`;
    const { shell, pid, said } = await start(`exec "${process.execPath}" -e "${npm.replaceAll('"', '\\"')}"`, true);
    shell.kill('SIGKILL');
    expect(await said).toBe(`${pid}\nasked to end\n`);
  },
  30_000,
);

test('without npm in between a command outlives the shell it was started from', async () => {
  const { shell, pid, said } = await start(`${entry}; exit 7`, false);
  shell.kill('SIGKILL');
  await once(shell, 'exit');
  // Twice as long as the watching takes to notice; what is shown is that nobody asked it before we do.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(process.kill(pid, 0)).toBe(true);
  process.kill(pid, 'SIGTERM');
  expect(await said).toBe(`${pid}\nasked to end\n`);
}, 30_000);

test('what listens hears that the run.mjs that started it was killed, also without npm', async () => {
  const { shell, pid, said } = await start(`exec ${entry}`, false);
  shell.kill('SIGKILL');
  expect(await said).toBe(`${pid}\nleft alone\n`);
}, 30_000);
