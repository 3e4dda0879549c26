/**
 * Builds one Go program of this project into the shared cache.
 * Rule: the finished file appears under its name in one step, and only one process at a time builds it.
 * Never overrides what the user has set for Go (proxy, flags, toolchain).
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { findOnPath, runCommand } from './command.mjs';
import { inTurn } from './turn.mjs';

export const findGo = () => findOnPath('go', ['/usr/local/go/bin', '/usr/lib/go/bin']);

/**
 * @param {{ target: string, module: string, package: string, flags?: string[] }} plan
 *   `module` is the folder with go.mod, `package` what to build there.
 */
export async function goBuild(plan) {
  const go = findGo();
  if (go === undefined) throw new Error('Go is not there');
  mkdirSync(dirname(plan.target), { recursive: true });
  await inTurn(`${plan.target}.turn`, () => (existsSync(plan.target) ? undefined : build(go, plan)));
}

async function build(go, plan) {
  const unfinished = `${plan.target}.${process.pid}.unfinished`;
  const giveUp = () => rmSync(unfinished, { force: true });
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
