/** A program for run.test.ts: says its process id, and ends when it is asked to by SIGTERM or left alone, saying so. */
import { onceStarterIsGone } from '../../setup/parents.mjs';

process.on('SIGTERM', () => {
  process.stdout.write('asked to end\n');
  process.exit(0);
});
onceStarterIsGone(() => {
  process.stdout.write('left alone\n');
  process.exit(0);
});
setInterval(() => undefined, 60_000);
process.stdout.write(`${process.pid}\n`);
