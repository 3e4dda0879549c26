/** A program for run.test.ts: says its process id, and ends when it is asked to by SIGTERM, saying so. */
process.on('SIGTERM', () => {
  process.stdout.write('asked to end\n');
  process.exit(0);
});
setInterval(() => undefined, 60_000);
process.stdout.write(`${process.pid}\n`);
