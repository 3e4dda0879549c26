/**
 * S10: zeros take no room on a target that was used, where it can have holes; where it cannot, zeros are written. Either way
 * they are flushed, read back and compared like any other bytes.
 * Rule: room is counted in the blocks that the file system says are allocated, bytes are compared with the point's.
 */
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { piecesOf } from '../../disk/holes.ts';
import { fenced } from '../../model/failure.ts';
import { type HostCall, systemError, watchHost } from './host-edge.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  type Workbench,
  zero,
} from './workbench.ts';

const kib = 1024;
/** The tail is withheld from the middle of a leaf on. */
const size = 25 * mib + 200 * kib + 512;
const stale = patternImage(9, size);
/** 5 MiB of data, of which one is zeros; the source names it all, and nothing behind it. */
const image = Buffer.alloc(size);
patternImage(1, 5 * mib).copy(image);
image.fill(0, 3 * mib, 4 * mib);
const point = () => new ImagePoint(image, [data(0, 5 * mib)]);

const allocated = ({ path }: Workbench): number => statSync(path).blocks * 512;

async function sealed(bench: Workbench, wanted: Buffer, name: string): Promise<void> {
  await bench.seal(new ImagePoint(wanted), name, { reread: true });
  expect(firstDifference(bench.content(), wanted)).toBe(-1);
}

/** Every call that clears a part of the target, before it is done. */
async function onPunch<T>(
  bench: Workbench,
  befall: (call: HostCall) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  const restore = await watchHost((call) =>
    call.name === 'punch' && call.path === bench.path ? befall(call) : call.all(),
  );
  try {
    return await work();
  } finally {
    restore();
  }
}

describe('a target that was used', () => {
  test('S10 has its stale blocks freed, also where the source gives zeros for data, and becomes the point', async () => {
    await onWorkbench(stale, async (bench) => {
      expect(allocated(bench)).toBeGreaterThanOrEqual(size);
      await bench.transfer(point(), 'p0');
      // The withheld ends are written, 3 MiB are data, and a leaf at an edge may be.
      expect(allocated(bench)).toBeLessThan(6 * mib);
      await sealed(bench, image, 'p0');
    });
  });

  test('S10 has what a delta clears freed, and nothing beside it changed', async () => {
    await onWorkbench(stale, async (bench) => {
      const full = patternImage(1, size);
      await bench.transfer(new ImagePoint(full), 'p0');
      const before = allocated(bench);
      const cleared = [
        zero(8 * mib, 4 * mib),
        zero(13 * mib + 4 * kib, mib),
        zero(17 * mib, 8 * kib),
        zero(23 * mib, size - 23 * mib),
      ];
      const next = Buffer.from(full);
      for (const { offset, length } of cleared) next.fill(0, offset, offset + length);
      await bench.transfer(new ImagePoint(next, cleared), 'p1', { base: 'p0' });
      expect(before - allocated(bench)).toBeGreaterThan(5.8 * mib);
      await sealed(bench, next, 'p1');
    });
  });

  test('S10 S4 is never punched in the ends that are withheld, nor for less than two leaves', async () => {
    await onWorkbench(stale, async (bench) => {
      const punched: HostCall[] = [];
      const watch = (call: HostCall): Promise<unknown> => {
        punched.push(call);
        return call.all();
      };
      await onPunch(bench, watch, () => bench.transfer(point(), 'p0'));
      expect(punched.length).toBeGreaterThan(5);
      for (const { offset, length } of punched) {
        expect(offset).toBeGreaterThanOrEqual(mib);
        expect(offset + length).toBeLessThanOrEqual(size - mib);
        expect(length).toBeGreaterThanOrEqual(128 * kib);
      }
    });
  });
});

describe('a target that cannot have holes', () => {
  test.each(['ENOTSUP', 'ENOSYS', 'EINVAL'])('S10 and answers %s is asked once, and gets zeros', async (code) => {
    await onWorkbench(stale, async (bench) => {
      let asked = 0;
      const refuse = (): Promise<unknown> => {
        asked++;
        return Promise.reject(systemError(code));
      };
      await onPunch(bench, refuse, () => bench.transfer(point(), 'p0', { inFlight: 1 }));
      expect(asked).toBe(1);
      expect(allocated(bench)).toBeGreaterThanOrEqual(size);
      await sealed(bench, image, 'p0');
    });
  });
});

describe('a hole', () => {
  test('S3 S10 that was never made though the system says so is found by the read-back, and nothing is sealed', async () => {
    await onWorkbench(stale, async (bench) => {
      const lose = (): Promise<unknown> => Promise.resolve();
      await onPunch(bench, lose, async () => {
        expect(await failureOf(bench.transfer(point(), 'p0'))).toBe('Corrupt proof');
        expect(await failureOf(bench.seal(point(), 'p0'))).toMatch(/^Corrupt/);
      });
      await bench.transfer(point(), 'p0');
      await sealed(bench, image, 'p0');
    });
  });

  test.each(['EIO', 'ENOSPC', 'EPERM'])(
    'S3 that fails with %s ends the attempt, and the next one makes it',
    async (code) => {
      await onWorkbench(stale, async (bench) => {
        let calls = 0;
        const failThird = (call: HostCall): Promise<unknown> =>
          ++calls === 3 ? Promise.reject(systemError(code)) : call.all();
        await onPunch(bench, failThird, async () => {
          expect(await failureOf(bench.transfer(point(), 'p0', { inFlight: 1 }))).toBe('Refused target.punch');
        });
        await bench.transfer(point(), 'p0');
        expect(allocated(bench)).toBeLessThan(6 * mib);
        await sealed(bench, image, 'p0');
      });
    },
  );

  test('S8 is made only with leave, asked for right before it', async () => {
    await onWorkbench(stale, async (bench) => {
      let punched = 0;
      const count = (call: HostCall): Promise<unknown> => {
        punched++;
        return call.all();
      };
      // From the first hole on there is no leave any more, and what comes next are holes.
      const gone = { op: 'lease', subject: 'transferDisk', message: 'it was given up', hint: 'Nothing.' };
      const assure = (): Promise<void> => (punched > 0 ? Promise.reject(fenced(gone)) : Promise.resolve());
      const late = () => bench.transfer(new ImagePoint(image, [data(0, 3 * mib)]), 'p0', { inFlight: 1, assure });
      expect(await onPunch(bench, count, () => failureOf(late()))).toBe('Fenced lease');
      expect(punched).toBe(1);
      expect(firstDifference(bench.content().subarray(4 * mib, 24 * mib), stale.subarray(4 * mib, 24 * mib))).toBe(-1);
    });
  });

  test('L1 whose call alone never returns ends the attempt as Transient, and the next one goes on once it has', async () => {
    await onWorkbench(stale, async (bench) => {
      const released = Promise.withResolvers<void>();
      const hang = async (call: HostCall): Promise<unknown> => {
        await released.promise;
        return call.all();
      };
      await onPunch(bench, hang, async () => {
        const late = failureOf(bench.transfer(point(), 'p0', { ioDeadlineMs: 800 }));
        const told = await Promise.race([late, pause(8_000, 'still waiting', { ref: false })]);
        released.resolve();
        expect(told).toBe('Transient target.punch');
      });
      const ended = (): Promise<boolean> =>
        bench.transfer(point(), 'p0').then(
          () => true,
          () => false,
        );
      for (const end = performance.now() + 10_000; !(await ended()) && performance.now() < end; ) await pause(20);
      await sealed(bench, image, 'p0');
    });
  });
});

test('S10 what is cut out of a range are its runs of two and more leaves of zeros, and the pieces are the range', () => {
  const leaf = 64 * kib;
  const leaves = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
  const edge = fc.constantFrom(0, 4 * kib, 60 * kib);
  fc.assert(
    fc.property(leaves, edge, edge, (zeros, before, behind) => {
      const bytes = Buffer.alloc(zeros.length * leaf);
      // One byte that is none, at either end of its leaf.
      for (const [at, isZero] of zeros.entries()) if (!isZero) bytes[at * leaf + (at % 2) * (leaf - 1)] = 1;
      const range = { start: 4 * mib + before, end: 4 * mib + bytes.byteLength - behind };
      if (range.start >= range.end) return;
      const view = bytes.subarray(before, bytes.byteLength - behind);
      const pieces = [...piecesOf(range, view)];
      expect([pieces[0]?.start, pieces.at(-1)?.end]).toEqual([range.start, range.end]);
      for (const [at, { start, end, hole }] of pieces.entries()) {
        if (at > 0) expect([start, hole]).toEqual([pieces[at - 1]?.end, !pieces[at - 1]?.hole]);
        const whole = zeros.slice(Math.ceil((start - 4 * mib) / leaf), Math.floor((end - 4 * mib) / leaf));
        if (hole)
          expect([start % leaf, end % leaf, whole.length > 1, whole.every(Boolean)]).toEqual([0, 0, true, true]);
        else expect(whole.some((isZero, next) => isZero && whole[next + 1] === true)).toBe(false);
      }
    }),
  );
});
