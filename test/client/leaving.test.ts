/**
 * How a worker's process leaves, and every other that has worked for long: no thread of V8 compiles behind its main one any more, because an exit that meets one waits for
 * ever when that finds the heap full. Rule: what V8 itself traces is believed; the hang cannot be had at will.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** What is compiled while a process exits, and the code it exits with. */
async function exiting(how: 'leave' | 'at once'): Promise<{ code: number | null; compiled: number }> {
  const options = ['--disable-warning=ExperimentalWarning', '--trace-opt', '--trace-concurrent-recompilation'];
  const { NODE_OPTIONS: _ours, ...env } = process.env;
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...options, join(__dirname, 'leaving-child.ts'), how],
      { env, timeout: 30_000, maxBuffer: 64 << 20 },
      (_error, out) => {
        const [, end = ''] = out.split('the last thing it does\n');
        resolve({
          code: child.exitCode,
          compiled: end.split('\n').filter((line) => line.includes('compiling')).length,
        });
      },
    );
  });
}

test('L7 nothing is compiled behind a worker that leaves, whatever it still does, since its exit may wait for that for ever', async () => {
  expect(await exiting('leave')).toEqual({ code: 3, compiled: 0 });
  // Else it is, so that the look shows something.
  const { code, compiled } = await exiting('at once');
  expect(code).toBe(3);
  expect(compiled).toBeGreaterThan(0);
});
