/**
 * S3: a write the system reports as done and that never reached the medium is found by the read-back; an error the
 * system reports ends the attempt with the right kind. Rule: the faults are the kernel's own answers, injected by
 * strace; without strace, or without the right to trace, the test says so aloud and is skipped.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 13 * mib;
const probe = spawnSync('strace', ['-f', '-e', 'inject=pwrite64:retval=1', 'true']);
const canTrace = probe.status === 0;
if (!canTrace) console.warn('SKIPPED: lost-write tests need strace and the right to trace');
const traced = canTrace ? test : test.skip;

/** Runs the copy of one image in a child under strace; the fault hits target writes only. */
function copyUnder(fault: string, bench: Workbench): string {
  const { path, sizeBytes, stateDir } = bench;
  const options = JSON.stringify({ path, sizeBytes, stateDir, disk: 'os', machine: 'erp', run: 'run-1' });
  const args = ['-f', '-o', '/dev/null', '-P', path, '-e', `inject=${fault}`];
  const child = spawnSync('strace', [...args, process.execPath, join(__dirname, 'copy-child.ts'), options], {
    encoding: 'utf8',
    // `when` counts per thread.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' },
  });
  if (child.stdout === '') throw new Error(child.stderr);
  return child.stdout.trim();
}

describe('a target that', () => {
  traced.each([
    ['loses the open marker', 1, 512, 'Corrupt open'],
    ['loses the zeros of the head', 2, mib - 512, 'Corrupt open'],
    ['loses the zeros of the tail', 3, mib, 'Corrupt open'],
    ['loses a data write', 5, 4 * mib, 'Corrupt proof'],
  ])('%s and says it was written is found out', async (_, when, bytes, ended) => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      expect(copyUnder(`pwrite64:retval=${bytes}:when=${when}`, bench)).toBe(ended);
      // The finding sticks: only a full copy, on a target that no longer lies, leads out of it.
      const image = patternImage(1, size);
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  traced('writes less than asked gets the rest', async () => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      // Told that only 512 bytes were taken, of which none was: the rest is written, the lost sector found.
      expect(copyUnder('pwrite64:retval=512:when=5', bench)).toBe('Corrupt proof');
    });
  });

  traced.each([
    ['pwrite64:error=EIO:when=5', 'Refused target.write'],
    ['pwrite64:error=ENOSPC:when=5', 'Refused target.write'],
    ['fdatasync:error=EIO:when=3', 'Refused target.flush'],
    ['pread64:error=EIO:when=7', 'Refused target'],
  ])('answers %s ends the attempt, and the next one goes on', async (fault, ended) => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      expect(copyUnder(fault, bench)).toContain(ended);
      const image = patternImage(1, size);
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
      expect(readFileSync(bench.path).byteLength).toBe(size);
    });
  });
});
