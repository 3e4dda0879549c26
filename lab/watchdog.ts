/**
 * A tiny parent for one program of the lab: it ends the program as soon as the lab is gone.
 * Rule: the lab holds our standard input; when it closes (the lab ended or was killed) the program gets SIGTERM and,
 * five seconds later, SIGKILL. Never ends anything but the one process it started.
 *
 *   node watchdog.ts <program> [argument…]
 */
import { spawn } from 'node:child_process';

const graceMs = 5_000;
const [program, ...rest] = process.argv.slice(2);
if (program === undefined) throw new Error('watchdog: no program was named');

const child = spawn(program, rest, { stdio: ['pipe', 'inherit', 'inherit'] });
let ending = false;

const end = (): void => {
  if (ending) return;
  ending = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
};

child.on('error', (error) => {
  process.stderr.write(`${program}: ${error.message}\n`);
  process.exit(127);
});
child.on('spawn', () => process.stdout.write(`${JSON.stringify({ watchdog: true, pid: child.pid })}\n`));
child.on('exit', (code, signal) => {
  if (signal !== null) process.stderr.write(`${program} was ended by ${signal}\n`);
  process.exit(code ?? 128);
});

process.stdin.resume();
process.stdin.on('end', end);
process.stdin.on('close', end);
process.on('SIGTERM', end);
// Ctrl-C reaches the whole group; the order in which things stop is the lab's to decide.
process.on('SIGINT', () => undefined);
