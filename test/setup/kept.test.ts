/**
 * What is made once of the sources and kept: whatever ends a removal, what is left under its name is whole.
 * Rule: the removal is the real one, in a process of its own, which ends itself by SIGKILL in the midst of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const files = 20_000;

test('a bundle whose removal a kill cuts off is not there any more, so that nobody runs the half of it, and goes with the next', () => {
  const folder = mkdtempSync(join(tmpdir(), 'homeward-kept-'));
  const keepOne = (meanwhile: string) => {
    const script = `const { keepNewest } = await import(${JSON.stringify(join(__dirname, '../../setup/kept.mjs'))});
      ${meanwhile}
      await keepNewest(${JSON.stringify(folder)}, 1);
      process.exit();`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  };
  // In a thread of its own: the removal leaves the process's own no time to look.
  const watcher = `import { existsSync, readdirSync } from 'node:fs';
    import { join } from 'node:path';
    const folder = ${JSON.stringify(folder)};
    for (;;)
      for (const name of readdirSync(folder))
        if (!existsSync(join(folder, name, '0')) && name !== 'newest') process.kill(process.pid, 'SIGKILL');`;
  const dieInTheMidst = `const { Worker } = await import('node:worker_threads');
    const watcher = new Worker(${JSON.stringify(watcher)}, { eval: true });
    await new Promise((resolve) => watcher.once('online', resolve));`;
  try {
    const [old, newest] = [join(folder, 'old'), join(folder, 'newest')];
    for (const each of [old, newest]) mkdirSync(each);
    for (let at = 0; at < files; at++) writeFileSync(join(old, `${at}`), '');
    writeFileSync(join(newest, 'program'), '');
    utimesSync(old, 0, 0);
    expect(keepOne(dieInTheMidst).signal).toBe('SIGKILL');
    expect(existsSync(old)).toBe(false);
    expect(keepOne('').status).toBe(0);
    expect(readdirSync(folder)).toEqual(['newest']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
