/**
 * Notices when the npm that started us is gone, or the run.mjs that an entry was started by, and says so once.
 * Rule: only what npm or run.mjs started is watched. npm hands a SIGTERM to the shell it runs us in, and that shell ends
 * without a word to us; a lab would go on without anybody to end it. Without them in between a lost parent means nothing:
 * a command sent to the background outlives its terminal on purpose.
 */
import { readFileSync } from 'node:fs';

const lookEveryMs = 500;

/** `man 5 proc`: a process that has ended and that its parent has not reaped, and one on its way out of that. */
const hasEnded = new Set(['Z', 'X']);

/**
 * Parent, name and start of a process, and whether it has ended, where the system tells (Linux); undefined elsewhere, and when
 * it is gone. The start, in ticks since the computer's own, tells it from a later process of the same number.
 */
export function processSeen(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.lastIndexOf(')');
    const fields = stat.slice(afterName + 2).split(' ');
    const [name, parent] = [stat.slice(stat.indexOf('(') + 1, afterName), Number(fields[1])];
    return { name, parent, started: fields[19], ended: hasEnded.has(fields[0]) };
  } catch {
    return undefined;
  }
}

/** npm calls itself by the command it runs: `npm run lab`. */
const isNpm = (name) => name.startsWith('npm');

/** Whether all who stand between npm and us, npm included, are still there. */
function chainToNpm() {
  const parent = process.ppid;
  const seen = processSeen(parent);
  const shellBetween = seen !== undefined && !isNpm(seen.name) && isNpm(processSeen(seen.parent)?.name ?? '');
  return () => process.ppid === parent && (!shellBetween || processSeen(parent)?.parent === seen.parent);
}

/** Calls `gone` once when npm, or the shell it started us in, has ended. Does nothing when npm did not start us. */
export function onceNpmIsGone(gone, env = process.env) {
  if (env.npm_lifecycle_event === undefined) return;
  const isWhole = chainToNpm();
  const timer = setInterval(() => {
    if (isWhole()) return;
    clearInterval(timer);
    gone();
  }, lookEveryMs);
  timer.unref();
}

/**
 * For an entry that holds more than itself: calls `gone` once when the run.mjs that started it has ended, however it did.
 * The channel between the two tells it, which the system closes with the process. Does nothing without such a channel.
 */
export function onceStarterIsGone(gone) {
  if (process.connected === undefined) return;
  if (!process.connected) return gone();
  process.once('disconnect', gone);
  // Listening must not keep alive what is done.
  process.channel?.unref();
}
