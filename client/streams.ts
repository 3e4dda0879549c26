/**
 * What becomes of a program that can no longer write what it has to say.
 * Rule: a reader who has read enough (`| head -1`) is nobody's fault and ends it quietly; anything else (a full disk) is told
 * in one sentence. Never a stack trace.
 */
import { exitCodes } from './problem.ts';

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  process.stderr.write(`homeward: the answer could not be written (${error.code ?? error.message})\n`);
  process.stderr.write('  do: Make room where standard output goes to, or send it elsewhere; what was done is done.\n');
  process.exit(exitCodes.unexpected);
}

/** There is nowhere left to complain. */
const endSilently = ({ code }: NodeJS.ErrnoException): void =>
  process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.unexpected);

/** Call it before the first word; calling it again changes nothing. */
export function endWithReader(): void {
  if (!process.stdout.listeners('error').includes(endQuietly)) process.stdout.on('error', endQuietly);
  if (!process.stderr.listeners('error').includes(endSilently)) process.stderr.on('error', endSilently);
}
