/**
 * The same promises on a real block device, with 512-byte and with 4096-byte sectors.
 * Rule: a loop device over a file of the test's own; where the machine gives none, it says so aloud and is skipped.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { data, failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage, zero } from './workbench.ts';

/** Attaches the file and gives back the device and a way to detach exactly this one; undefined when it cannot. */
function attach(path: string, sectorBytes: number): { device: string; detach: () => void } | undefined {
  const out = spawnSync('losetup', ['-f', '--show', '-b', String(sectorBytes), path], { encoding: 'utf8' });
  const device = (out.stdout ?? '').trim();
  if (out.status !== 0 || device === '') return undefined;
  return { device, detach: () => spawnSync('losetup', ['-d', device]) };
}

/** Bytes that a file takes on its file system, once what the kernel holds back is there. */
function allocated(path: string): number {
  spawnSync('sync', [path]);
  return statSync(path).blocks * 512;
}

describe('a block device', () => {
  test.each([512, 4096])(
    'S10 with sectors of %i bytes is copied, changed, cleared by holes and sealed like a file',
    async (sectorBytes) => {
      const size = 10 * mib + 4096;
      await onWorkbench(patternImage(9, size), async (bench) => {
        const loop = attach(bench.path, sectorBytes);
        if (loop === undefined) {
          console.warn(`SKIPPED: no loop device with ${sectorBytes}-byte sectors on this machine`);
          return;
        }
        try {
          const onDevice = { path: loop.device };
          const image = patternImage(1, size);
          await bench.transfer(new ImagePoint(image), 'p0', onDevice);
          image.fill(7, 5 * mib + 512, 5 * mib + 1536);
          image.fill(0, 6 * mib + 512, 7 * mib);
          const changes = [data(5 * mib + 512, 1024), zero(6 * mib + 512, mib - 512)];
          const before = allocated(bench.path);
          await bench.transfer(new ImagePoint(image, changes), 'p1', { base: 'p0', ...onDevice });
          // S10: what was cleared is unmapped, and the device's own file has a hole there: 15 whole leaves.
          expect(before - allocated(bench.path)).toBe(15 * 64 * 1024);
          const wrong = { path: loop.device, sizeBytes: size - 4096 };
          const small = new ImagePoint(image.subarray(0, size - 4096));
          expect(await failureOf(bench.transfer(small, 'p2', wrong))).toBe('Refused target.open');
          await bench.seal(new ImagePoint(image), 'p1', { reread: true, ...onDevice });
          expect(spawnSync('blockdev', ['--flushbufs', loop.device]).status).toBe(0);
          expect(firstDifference(bench.content(), image)).toBe(-1);
        } finally {
          loop.detach();
        }
      });
    },
  );
});
