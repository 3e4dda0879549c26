/**
 * S3: a write the system reports as done and that never reached the medium is found by the read-back; an error the
 * system reports ends the attempt with the right kind. Rule: the faults are the kernel's own answers, injected by
 * strace; without strace, or without the right to trace, the test says so aloud and is skipped. The cases run side by
 * side: each is mostly a process waiting to start. HOMEWARD_FAULTS=all adds the places that resemble another one.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 13 * mib;
const probe = spawnSync('strace', ['-f', '-e', 'inject=pwrite64:retval=1', 'true']);
const canTrace = probe.status === 0;
if (!canTrace) console.warn('SKIPPED: lost-write tests need strace and the right to trace');
const all = process.env.HOMEWARD_FAULTS === 'all';
const traced = canTrace ? test.concurrent : test.skip;

/** Runs the copy of one image in a child under strace; the fault hits target writes only. `zeros`: a part of it that is none. */
async function copyUnder(fault: string, bench: Workbench, zeros: readonly [number, number] = [0, 0]): Promise<string> {
  const { path, sizeBytes, stateDir } = bench;
  const options = JSON.stringify([{ path, sizeBytes, stateDir, disk: 'os', machine: 'erp', run: 'run-1' }, zeros]);
  const args = ['-f', '-o', '/dev/null', '-P', path, '-e', `inject=${fault}`];
  const child = await promisify(execFile)(
    'strace',
    [...args, process.execPath, join(__dirname, 'copy-child.ts'), options],
    // `when` counts per thread.
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' } },
  );
  if (child.stdout === '') throw new Error(child.stderr);
  return child.stdout.trim();
}

/** A disk is opened by two writes: the head with the marker in its first sector, and the tail. */
const likeTheMarker = [
  ['loses the marker and the zeros of the head', 1, mib, 'Corrupt open'],
  ['loses the zeros of the tail', 2, mib, 'Corrupt open'],
] as const;

describe('a target that', () => {
  traced.each([
    ['loses the open marker', 1, 512, 'Corrupt open'],
    ['loses a data write', 5, 4 * mib, 'Corrupt proof'],
    ...(all ? likeTheMarker : []),
  ] as const)('%s and says it was written is found out', async (_, when, bytes, ended) => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      expect(await copyUnder(`pwrite64:retval=${bytes}:when=${when}`, bench)).toBe(ended);
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
      expect(await copyUnder('pwrite64:retval=512:when=5', bench)).toBe('Corrupt proof');
    });
  });

  traced.each([
    ...(all ? [['pwrite64:error=EIO:when=5', 'Refused target.write'] as const] : []),
    ['pwrite64:error=ENOSPC:when=5', 'Refused target.write'],
    ['fdatasync:error=EIO:when=2', 'Refused target.flush'],
    ['pread64:error=EIO:when=7', 'Refused target'],
  ] as const)('answers %s ends the attempt, and the next one goes on', async (fault, ended) => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      expect(await copyUnder(fault, bench)).toContain(ended);
      const image = patternImage(1, size);
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
      expect(readFileSync(bench.path).byteLength).toBe(size);
    });
  });
});

describe('a hole that the kernel', () => {
  const zeros = [5 * mib, 7 * mib] as const;
  const image = patternImage(1, size).fill(0, ...zeros);
  const allocated = ({ path }: Workbench): number => statSync(path).blocks * 512;

  traced.each([
    ['makes is one, and the bytes around it are right', 'lseek:error=EIO:when=65535', 'done', size - 2 * mib],
    ['cannot make is written as zeros', 'fallocate:error=EOPNOTSUPP', 'done', size],
    ['says that it made, and did not, is found out', 'fallocate:retval=0', 'Corrupt proof', size],
    ['fails to make for an error of the storage ends the attempt', 'fallocate:error=EIO', 'Refused target.punch', size],
    ['fails to make for want of room ends the attempt', 'fallocate:error=ENOSPC', 'Refused target.punch', size],
  ] as const)('S10 %s', async (_, fault, ended, bytes) => {
    await onWorkbench(patternImage(2, size), async (bench) => {
      expect(await copyUnder(fault, bench, zeros)).toBe(ended);
      expect(allocated(bench)).toBe(bytes);
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });
});
