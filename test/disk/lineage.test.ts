/**
 * S9: a delta goes only onto the exact point it was computed from, on the very disk the record speaks of.
 * Rule: every refusal is followed by the way out: a full copy, which is always allowed and always right.
 */
import { appendFileSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { encodeMarker, openMarker } from '../../disk/open-marker.ts';
import { observeDisk } from '../../disk/target-disk.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  Workbench,
} from './workbench.ts';

const size = 9 * mib;
const image = patternImage(1, size);
const full = (): ImagePoint => new ImagePoint(image);
const delta = (): ImagePoint => new ImagePoint(image, [data(5 * mib, 512)]);

/** A disk at `p0`, then whatever was done to it; a delta must be refused and a full copy must repair. */
async function refusedThenRepaired(spoil: (bench: Workbench) => void | Promise<void>): Promise<void> {
  await onWorkbench(patternImage(8, size), async (bench) => {
    await bench.transfer(full(), 'p0');
    await spoil(bench);
    expect(await failureOf(bench.transfer(delta(), 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
    expect(await failureOf(bench.seal(full(), 'p0'))).toBe('Corrupt lineage');
    await bench.transfer(full(), 'p9');
    await bench.seal(full(), 'p9');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
}

describe('a delta', () => {
  test('onto a disk nothing is known of is refused', async () => {
    await onWorkbench(size, async (bench) => {
      expect(await failureOf(bench.transfer(delta(), 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
    });
  });

  test('from another point than the one the disk holds is refused, before anything is written', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(full(), 'p0');
      const before = bench.content();
      const source = delta();
      expect(await failureOf(bench.transfer(source, 'p2', { base: 'p1' }))).toBe('Corrupt lineage');
      expect(source.reads).toEqual([]);
      expect(firstDifference(bench.content(), before)).toBe(-1);
      await bench.transfer(delta(), 'p1', { base: 'p0' });
    });
  });

  test('of another run than the one that holds the disk is refused', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(full(), 'p0');
      const call = bench.transfer(delta(), 'p1', { base: 'p0', run: 'run-2' });
      expect(await failureOf(call)).toBe('Corrupt lineage');
    });
  });

  test('onto an unfinished other delta is refused, the same delta goes on', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(full(), 'p0');
      const cut = new ImagePoint(image, [data(5 * mib, 512)], () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      expect(await failureOf(bench.transfer(delta(), 'p2', { base: 'p0' }))).toBe('Corrupt lineage');
      expect(await failureOf(bench.transfer(delta(), 'p2', { base: 'p1' }))).toBe('Corrupt lineage');
      await bench.transfer(delta(), 'p1', { base: 'p0' });
    });
  });

  test('whose list changed between two attempts is refused', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(full(), 'p0');
      const cut = new ImagePoint(image, [data(5 * mib, 512)], () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      const other = new ImagePoint(image, [data(6 * mib, 512)]);
      expect(await failureOf(bench.transfer(other, 'p1', { base: 'p0' }))).toBe('Corrupt changes');
      expect(await failureOf(bench.transfer(delta(), 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
    });
  });

  test('that is done already answers with the same proof and reads nothing', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(full(), 'p0');
      const proof = await bench.transfer(delta(), 'p1', { base: 'p0' });
      const source = delta();
      expect(await bench.transfer(source, 'p1', { base: 'p0' })).toEqual(proof);
      expect(source.reads).toEqual([]);
    });
  });
});

describe('a disk whose record and content do not agree takes no delta and no seal, but a full copy:', () => {
  test('the marker is gone', () => refusedThenRepaired((bench) => bench.damage(0, Buffer.alloc(512))));

  test('the disk was replaced by one of an earlier copy', () =>
    refusedThenRepaired(async (bench) => {
      const other = new Workbench(size);
      await other.transfer(full(), 'p0');
      bench.damage(0, other.content().subarray(0, 512));
      other.remove();
    }));

  test('the disk was written by an attempt the record does not know', () =>
    refusedThenRepaired(async (bench) => {
      const { marker } = await observeDisk(bench.options());
      bench.damage(
        0,
        encodeMarker(openMarker({ id: '', machine: 'erp', disk: 'os', run: 'run-1', ...marker, epoch: 7 })),
      );
    }));

  test('the journal is gone', () => refusedThenRepaired((bench) => rmSync(bench.statePath('journal'))));

  test('the checkpoint is gone', () => refusedThenRepaired((bench) => rmSync(bench.statePath('checkpoint'))));

  test('the checkpoint has a flipped bit', () =>
    refusedThenRepaired((bench) => {
      const bytes = readFileSync(bench.statePath('checkpoint'));
      bytes[bytes.byteLength - 40] = (bytes[bytes.byteLength - 40] ?? 0) ^ 1;
      writeFileSync(bench.statePath('checkpoint'), bytes);
    }));

  test('the journal is damaged before a good line', () =>
    refusedThenRepaired(async (bench) => {
      const cut = new ImagePoint(image, [data(5 * mib, 512)], () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      const bytes = readFileSync(bench.statePath('journal'));
      const second = bytes.indexOf(10) + 30;
      bytes[second] = (bytes[second] ?? 0) ^ 1;
      writeFileSync(bench.statePath('journal'), bytes);
    }));
});

test('S3 S9 a record that goes bad while it is used ends the copy, and only a full one repairs the disk', async () => {
  await onWorkbench(patternImage(8, size), async (bench) => {
    await bench.transfer(full(), 'p0');
    await bench.foldRecord();
    const spoiling = delta();
    const named = spoiling.changes.bind(spoiling);
    spoiling.changes = () => {
      truncateSync(bench.statePath('checkpoint'), 200);
      return named();
    };
    expect(await failureOf(bench.transfer(spoiling, 'p1', { base: 'p0' }))).toBe('Corrupt state.checkpoint');
    expect(await failureOf(bench.transfer(delta(), 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
    await bench.transfer(full(), 'p1');
    await bench.seal(full(), 'p1', { reread: true });
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('a torn last line of the journal does not hold a delta up', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(full(), 'p0');
    appendFileSync(bench.statePath('journal'), '1 0123456789abcdef {"t":"pro');
    await bench.transfer(delta(), 'p1', { base: 'p0' });
    await bench.seal(full(), 'p1');
  });
});

test('a disk that is open for another machine is refused even to a full copy', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(full(), 'p0', { machine: 'crm' });
    expect(await failureOf(bench.transfer(full(), 'p0'))).toBe('Refused lineage');
  });
});

test('L5 a full copy holds no record but the one it begins', async () => {
  const held = (bench: Workbench): number => {
    const links = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    return links.filter((link) => link.startsWith(bench.statePath('checkpoint'))).length;
  };
  await onWorkbench(size, async (bench) => {
    await bench.transfer(full(), 'p0');
    let most = 0;
    const looking = new ImagePoint(image, undefined, () => {
      most = Math.max(most, held(bench));
    });
    await bench.transfer(looking, 'p0', { run: 'run-2' });
    expect([most, held(bench)]).toEqual([1, 0]);
  });
});

test('a full copy repairs a disk that a cancelled run left open (S002-27)', async () => {
  await onWorkbench(patternImage(3, size), async (bench) => {
    const stop = new AbortController();
    const cut = new ImagePoint(image, undefined, () => stop.abort(new Error('cancelled')));
    await expect(bench.transfer(cut, 'p0', { signal: stop.signal })).rejects.toThrow('cancelled');
    expect((await observeDisk(bench.options())).state).toBe('open');
    await bench.transfer(full(), 'q0', { run: 'run-2', stateDir: `${bench.stateDir}-other-mover` });
    await bench.seal(full(), 'q0', { run: 'run-2', stateDir: `${bench.stateDir}-other-mover` });
    expect(firstDifference(bench.content(), image)).toBe(-1);
    expect((await observeDisk(bench.options())).state).toBe('unknown');
  });
});

describe('a disk that was elsewhere since', () => {
  // The block in the middle of three is one that no seal looks at.
  const long = 13 * mib;
  const longImage = patternImage(2, long);
  const whole = (): ImagePoint => new ImagePoint(longImage);
  const lost = Buffer.alloc(64 * 1024);
  const lostAt = 5 * mib;
  const seen = (source: ImagePoint): boolean =>
    source.reads.some(({ offset, length }) => offset <= lostAt && lostAt < offset + length);

  test('S3 S9 is copied anew also where the very copy that repairs it is done by the record: never repeated, nor sealed as it is', async () => {
    await onWorkbench(long, async (bench) => {
      await bench.transfer(whole(), 'p0');
      bench.damage(lostAt, lost);
      expect(await failureOf(bench.seal(whole(), 'p0', { anew: 1 }))).toBe('Corrupt lineage');
      expect(await failureOf(bench.transfer(new ImagePoint(longImage, []), 'p1', { base: 'p0', anew: 1 }))).toBe(
        'Corrupt lineage',
      );
      await bench.transfer(whole(), 'p0', { anew: 1 });
      // Once for each time, so that an attempt that is made again goes on.
      const again = whole();
      await bench.transfer(again, 'p0', { anew: 1 });
      expect(again.reads).toEqual([]);
      await bench.seal(whole(), 'p0', { anew: 1 });
      expect(await failureOf(bench.seal(whole(), 'p0', { anew: 2 }))).toBe('Corrupt lineage');
      const used = { base: 'p0', uses: 1, anew: 2 };
      expect(await failureOf(bench.transfer(new ImagePoint(longImage, []), 'p1', used))).toBe('Corrupt lineage');
      expect(firstDifference(bench.content(), longImage)).toBe(-1);
    });
  });

  test('S3 S9 L2 is copied anew also where it was half way in that copy: what it had proven is fetched again, and from there on it goes on', async () => {
    await onWorkbench(long, async (bench) => {
      const cut = (): ImagePoint =>
        new ImagePoint(longImage, undefined, (offset) => {
          if (offset >= 8 * mib) throw new RangeError('cut off');
        });
      const one = { inFlight: 1 };
      await expect(bench.transfer(cut(), 'p0', one)).rejects.toThrow('cut off');
      bench.damage(lostAt, lost);
      await expect(bench.transfer(cut(), 'p0', { ...one, anew: 1 })).rejects.toThrow('cut off');
      const rest = whole();
      await bench.transfer(rest, 'p0', { ...one, anew: 1 });
      expect(seen(rest)).toBe(false);
      await bench.seal(whole(), 'p0', { anew: 1 });
      expect(firstDifference(bench.content(), longImage)).toBe(-1);
    });
  });
});
