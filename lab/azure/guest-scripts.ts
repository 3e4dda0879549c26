/**
 * Runs the scripts of run commands inside the simulated machines: on Linux really, in a folder that stands for the guest's
 * own; on Windows the lab knows one service, and the two cmdlets about it.
 * Rule: a script's end is its own: exit code, both streams, the time-out. Never runs in a machine that is not running.
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine, ScriptEnd } from './resources.ts';

/** Azure keeps the last 4 KiB of each stream. */
const keptBytes = 4_096;

export async function runScript(
  machine: Machine,
  folder: string,
  script: string,
  timeoutSeconds: number,
): Promise<ScriptEnd> {
  if (machine.osType === 'Windows') return onWindows(machine, script);
  const place = join(folder, 'guests', machine.name);
  await mkdir(place, { recursive: true });
  // A group of its own, so that what the script started ends with it.
  const child = spawn('/bin/sh', ['-c', script], { cwd: place, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const streams = { output: '', error: '' };
  const keep = (stream: keyof typeof streams) => (piece: Buffer) => {
    streams[stream] = (streams[stream] + piece.toString('utf8')).slice(-keptBytes);
  };
  child.stdout.on('data', keep('output'));
  child.stderr.on('data', keep('error'));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeoutSeconds * 1000);
  const code = await new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? 137)));
  clearTimeout(timer);
  const state = timedOut ? 'TimedOut' : code === 0 ? 'Succeeded' : 'Failed';
  return { state, exitCode: code, ...streams };
}

/** What the lab's Windows understands, line by line, about the service that it knows. */
function onWindows(machine: Machine, script: string): ScriptEnd {
  const out: string[] = [];
  for (const line of script.split('\n')) {
    const set = /^\s*Set-Service -Name VMTools -StartupType (\w+)/.exec(line)?.[1];
    const tell = /^\s*"(was|is): \$\(.*StartType\)"/.exec(line)?.[1];
    if (set !== undefined && machine.toolsLocked)
      return { state: 'Failed', exitCode: 1, output: out.join('\r\n'), error: 'Set-Service : Access is denied' };
    if (set !== undefined) machine.toolsStart = set;
    if (tell !== undefined) out.push(`${tell}: ${machine.toolsStart}`);
  }
  const understood = /VMTools/.test(script);
  return {
    state: understood ? 'Succeeded' : 'Failed',
    exitCode: understood ? 0 : 1,
    output: out.join('\r\n'),
    error: understood ? '' : 'the lab’s Windows knows no other service than VMTools',
  };
}
