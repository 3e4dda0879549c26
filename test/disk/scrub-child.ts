/**
 * The program the scrub test kills: scrubs a disk and dies by SIGKILL after so many blocks.
 * Rule: its only argument is the order as JSON. Never used in the test's own process.
 */
import { scrubDisk } from '../../disk/target-disk.ts';

const { options, dieAt } = JSON.parse(process.argv[2] ?? '');
let read = 0;
const restMs = (): number => {
  if (++read === dieAt) process.kill(process.pid, 'SIGKILL');
  return 0;
};
await scrubDisk({ ...options, restMs, signal: new AbortController().signal, report: () => undefined });
