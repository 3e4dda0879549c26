/** A process that leaves as one does that has worked for long, and is busy up to its very end: whatever it does much, V8 would compile. */
import { leave } from '../../client/leaving.ts';

process.on('exit', () => {
  process.stdout.write('the last thing it does\n');
  const busy = (many: number): number => {
    let sum = 0;
    for (let at = 0; at < many; at++) sum += at % 7;
    return sum;
  };
  for (let round = 0; round < 3_000; round++) busy(2_000);
});

if (process.argv[2] === 'leave') await leave(3);
process.exit(3);
