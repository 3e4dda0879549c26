/**
 * Builds one Go program of this project into the shared cache.
 * Rule: the finished file appears under its name in one step, and only one process at a time builds it.
 * Never overrides what the user has set for Go (proxy, flags, toolchain).
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOnPath, runCommand } from './command.mjs';

const pollMs = 500;
/** A lock whose owner still lives is given up only after this: longer than any build. */
const staleLockMs = 60 * 60_000;

export const findGo = () => findOnPath('go', ['/usr/local/go/bin', '/usr/lib/go/bin']);

function ownerLives(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > staleLockMs) return false;
    const pid = Number(readFileSync(join(lock, 'pid'), 'utf8'));
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // A lock without its pid file has just been made; one whose process is gone is stale.
    return cause.code === 'ENOENT'
      ? existsSync(lock) && Date.now() - statSync(lock).mtimeMs < 5_000
      : cause.code === 'EPERM';
  }
}

/** Makes the lock folder, or waits for its owner; false when the target has appeared meanwhile. */
async function takeLock(lock, target) {
  for (;;) {
    if (existsSync(target)) return false;
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      return true;
    } catch (cause) {
      if (cause.code !== 'EEXIST') throw cause;
      if (!ownerLives(lock)) rmSync(lock, { recursive: true, force: true });
      else await sleep(pollMs);
    }
  }
}

/**
 * @param {{ target: string, module: string, package: string, flags?: string[] }} plan
 *   `module` is the folder with go.mod, `package` what to build there.
 */
export async function goBuild(plan) {
  const go = findGo();
  if (go === undefined) throw new Error('Go is not there');
  mkdirSync(dirname(plan.target), { recursive: true });
  const lock = `${plan.target}.lock`;
  if (!(await takeLock(lock, plan.target))) return;
  const unfinished = `${plan.target}.${process.pid}.unfinished`;
  const giveUp = () => {
    rmSync(unfinished, { force: true });
    rmSync(lock, { recursive: true, force: true });
  };
  process.once('exit', giveUp);
  try {
    const args = ['build', '-trimpath', '-buildvcs=false', ...(plan.flags ?? []), '-o', unfinished, plan.package];
    const env = { GOTOOLCHAIN: 'auto', ...process.env, GOWORK: 'off' };
    await runCommand(go, args, { cwd: plan.module, env });
    renameSync(unfinished, plan.target);
  } finally {
    process.off('exit', giveUp);
    giveUp();
  }
}
