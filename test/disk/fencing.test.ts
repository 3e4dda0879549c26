/**
 * S8: at most one attempt writes a disk, in this process, on this machine, and across machines by the epoch.
 * L7: an attempt that is told to stop stops, keeps what it proved, and says why in its caller's own words.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DiskLock } from '../../disk/disk-lock.ts';
import { encodeMarker, openMarker } from '../../disk/open-marker.ts';
import { observeDisk } from '../../disk/target-disk.ts';
import { watchHost } from './host-edge.ts';
import { failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage } from './workbench.ts';

const hasPython = spawnSync('python3', ['-c', 'import ctypes']).status === 0;
if (!hasPython) console.warn('SKIPPED: whether a thread that outlives its process keeps the lock needs python3');

const size = 41 * mib;
const image = patternImage(1, size);

/** Never answers, not even to its signal: the worst source there is. */
const deaf = (): Promise<void> => new Promise(() => undefined);

describe('of two attempts in one mover', () => {
  test('the older ends fenced and the newer begins only after it', async () => {
    await onWorkbench(size, async (bench) => {
      const began = Promise.withResolvers<void>();
      const late = new ImagePoint(image, undefined, (offset) => {
        if (offset < 20 * mib) return undefined;
        began.resolve();
        return deaf();
      });
      const older = failureOf(bench.transfer(late, 'p0'));
      await began.promise;
      const proof = await bench.transfer(new ImagePoint(image), 'p0');
      expect(await older).toBe('Fenced attempt');
      expect(proof.provenBytes).toBe(size - 2 * mib);
      expect((await observeDisk(bench.options())).epoch).toBe(2);
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('S8 the newer waits while a write of the older is still on its way', async () => {
    await onWorkbench(9 * mib, async (bench) => {
      const small = patternImage(1, 9 * mib);
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const restore = await watchHost(async (call) => {
        if (call.path !== bench.path || call.name !== 'write' || call.offset < mib) return call.all();
        reached.resolve();
        await released.promise;
        return call.all();
      });
      const older = failureOf(bench.transfer(new ImagePoint(small), 'p0', { inFlight: 1 }));
      await reached.promise;
      const source = new ImagePoint(small);
      const newer = bench.transfer(source, 'p0');
      // Time enough for it to take the disk, if it did not wait: another disk is copied meanwhile.
      await onWorkbench(size, async (other) => void (await other.transfer(new ImagePoint(image), 'p0')));
      expect(source.reads).toEqual([]);
      released.resolve();
      expect(await older).toBe('Fenced attempt');
      await newer;
      restore();
      await bench.seal(new ImagePoint(small), 'p0');
      expect(firstDifference(bench.content(), small)).toBe(-1);
    });
  });

  test('S8 the one that was handed over first but comes last is fenced, and does not stop the newer', async () => {
    await onWorkbench(size, async (bench) => {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const slow = new ImagePoint(image, undefined, async () => {
        reached.resolve();
        await released.promise;
      });
      const newer = bench.transfer(slow, 'p0', { order: 2 });
      await reached.promise;
      const stunned = new ImagePoint(image);
      expect(await failureOf(bench.transfer(stunned, 'p0', { order: 1 }))).toBe('Fenced attempt');
      expect(stunned.reads).toEqual([]);
      released.resolve();
      expect((await newer).provenBytes).toBe(size - 2 * mib);
    });
  });

  test('S8 S9 the one that was handed over first and comes after the newer has ended does not take the disk back', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p1', { order: 2 });
      const stunned = new ImagePoint(patternImage(2, size));
      expect(await failureOf(bench.transfer(stunned, 'p0', { order: 1 }))).toBe('Fenced attempt');
      expect((await observeDisk(bench.options())).point).toBe('p1');
    });
  });

  test('of three the last one wins', async () => {
    await onWorkbench(size, async (bench) => {
      const calls = [1, 2, 3].map(() => bench.transfer(new ImagePoint(image), 'p0'));
      const ends = await Promise.allSettled(calls);
      expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    });
  });
});

describe('a late attempt', () => {
  test('finds a higher epoch on the disk and writes no further window', async () => {
    await onWorkbench(size, async (bench) => {
      let after: Buffer | undefined;
      const source = new ImagePoint(image, undefined, async (offset) => {
        if (offset < 30 * mib || after !== undefined) return;
        const { marker } = await observeDisk(bench.options());
        const newer = openMarker({
          id: 'f'.repeat(32),
          machine: 'erp',
          disk: 'os',
          run: 'run-2',
          epoch: (marker?.epoch ?? 0) + 1,
        });
        bench.damage(0, encodeMarker(newer));
        after = bench.content();
      });
      expect(await failureOf(bench.transfer(source, 'p0', { inFlight: 1 }))).toBe('Fenced fence');
      // What it wrote before is there; the window that would have begun afterwards is not.
      expect(firstDifference(bench.content().subarray(36 * mib), Buffer.alloc(5 * mib))).toBe(-1);
    });
  });

  test('S8 of a mover that the run took the disk from writes nothing, though a full copy may take over what it does not know', async () => {
    await onWorkbench(size, async (bench) => {
      const newer = { handovers: 1, stateDir: `${bench.folder}/state of another mover` };
      const image2 = patternImage(2, size);
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.transfer(new ImagePoint(image2), 'p1', newer);
      const before = bench.content();
      for (const [point, base] of [
        ['p1', 'p0'],
        ['p1', undefined],
      ] as const) {
        const source = new ImagePoint(image);
        const late = bench.transfer(source, point, base === undefined ? {} : { base });
        expect(await failureOf(late)).toBe('Fenced handover');
        expect(source.reads).toEqual([]);
      }
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
      expect(firstDifference(bench.content(), before)).toBe(-1);
      // Given back, it copies in full: its own record is of what the disk held before.
      const again = { handovers: 2 };
      await bench.transfer(new ImagePoint(image2), 'p1', again);
      await bench.seal(new ImagePoint(image2), 'p1', again);
      expect(firstDifference(bench.content(), image2)).toBe(-1);
    });
  });

  test('finds its marker gone and stops as corrupt', async () => {
    await onWorkbench(size, async (bench) => {
      const source = new ImagePoint(image, undefined, (offset) => {
        if (offset >= 20 * mib) bench.damage(0, Buffer.alloc(512));
      });
      expect(await failureOf(bench.transfer(source, 'p0', { inFlight: 1 }))).toBe('Corrupt fence');
    });
  });

  test('finds its lock taken over and stops', async () => {
    await onWorkbench(size, async (bench) => {
      const source = new ImagePoint(image, undefined, (offset) => {
        if (offset >= 20 * mib) writeFileSync(bench.statePath('lock'), '{"pid":1}');
      });
      expect(await failureOf(bench.transfer(source, 'p0', { inFlight: 1 }))).toBe('Fenced lock.check');
    });
  });

  test('S8 writes nothing more to the journal once its lock was taken over, also not what it had looked at before', async () => {
    const stale = Buffer.alloc(size);
    stale.fill(1, 16 * mib, 40 * mib);
    await onWorkbench(stale, async (bench) => {
      const restore = await watchHost((call) => {
        const { name, path, offset } = call;
        if (name === 'read' && path === bench.path && offset === 16 * mib)
          writeFileSync(bench.statePath('lock'), '{"pid":1}');
        return call.all();
      });
      try {
        const zeros = new ImagePoint(Buffer.alloc(size), []);
        expect(await failureOf(bench.transfer(zeros, 'p0', { inFlight: 1 }))).toBe('Fenced lock.check');
      } finally {
        restore();
      }
      const journal = readFileSync(bench.statePath('journal'), 'utf8');
      expect(journal).toContain('"t":"plan"');
      expect(journal).not.toContain('"t":"zeros"');
    });
  });
});

describe('the lock', () => {
  const startOf = (pid: number): string => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  };
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

  test('of a living process is respected, of a dead one taken over', async () => {
    await onWorkbench(size, async (bench) => {
      const path = bench.statePath('lock');
      mkdirSync(dirname(path), { recursive: true });
      const other = spawn('sleep', ['60']);
      const pid = other.pid ?? 0;
      writeFileSync(path, JSON.stringify({ pid, startTime: startOf(pid), boot, token: 'x' }));
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Transient lock.take');
      other.kill('SIGKILL');
      await once(other, 'exit');
      await bench.transfer(new ImagePoint(image), 'p0');
      expect(readdirSync(dirname(path)).sort()).toEqual(['checkpoint', 'journal', 'leaves']);
    });
  });

  /** Whether an attempt gets a disk whose lock names this process. */
  async function takesFrom(pid: number): Promise<string> {
    let ended = 'taken';
    await onWorkbench(size, async (bench) => {
      const path = bench.statePath('lock');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify({ pid, startTime: startOf(pid), boot, token: 'x' }));
      const taking = DiskLock.take(path, 'erp/os').then((lock) => lock.release());
      ended = await taking.then(
        () => 'taken',
        (error: Error) => error.message,
      );
    });
    return ended;
  }

  const stateOf = (pid: number): string => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
  /** Waits until the process is one that nobody has reaped. */
  async function untilZombie(pid: number): Promise<void> {
    const late = AbortSignal.timeout(10_000);
    while (stateOf(pid) !== 'Z') await pause(20, undefined, { signal: late });
  }

  test('S8 L2 of a killed process that nobody reaps is taken over', async () => {
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    try {
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(said.toString());
      expect(await takesFrom(pid)).toContain(`another mover process ${pid} holds the disk`);
      process.kill(pid, 'SIGKILL');
      await untilZombie(pid);
      expect(await takesFrom(pid)).toBe('taken');
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('L1 of a process that goes while it is looked at is taken over', async () => {
    const other = spawn('sleep', ['60']);
    const pid = other.pid ?? 0;
    let went = false;
    const restore = await watchHost(async (call) => {
      if (went || call.name !== 'readFile' || call.path !== `/proc/${pid}/stat`) return call.all();
      went = true;
      const file = await open(call.path);
      other.kill('SIGKILL');
      await once(other, 'exit');
      return file.readFile().finally(() => file.close());
    });
    try {
      expect(await takesFrom(pid)).toBe('taken');
      expect(went).toBe(true);
    } finally {
      restore();
    }
  });

  (hasPython ? test : test.skip)('S8 of a process that has ended but for a thread is respected', async () => {
    const program = [
      'import ctypes, platform, threading, time',
      'threading.Thread(target=time.sleep, args=(60,)).start()',
      // The system's own call: it ends this one thread, the first of the process.
      "ctypes.CDLL(None).syscall(60 if platform.machine() == 'x86_64' else 93, 0)",
    ];
    const other = spawn('python3', ['-c', program.join('\n')]);
    const pid = other.pid ?? 0;
    try {
      await untilZombie(pid);
      expect(await takesFrom(pid)).toContain(`another mover process ${pid} holds the disk`);
    } finally {
      other.kill('SIGKILL');
    }
  });

  test.each([
    ['a process whose pid was given to another', () => ({ startTime: '1', boot })],
    ['an earlier boot', (pid: number) => ({ startTime: startOf(pid), boot: 'earlier' })],
    ['this process, which lets nobody have it,', () => ({ startTime: startOf(process.pid), boot, pid: process.pid })],
  ])('of %s is taken over', async (_, ownerOf) => {
    // Another process that lives, so that its pid alone would say that the lock is held.
    const other = spawn('sleep', ['60']);
    const pid = other.pid ?? 0;
    try {
      await onWorkbench(size, async (bench) => {
        const path = bench.statePath('lock');
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, JSON.stringify({ pid, token: 'x', ...ownerOf(pid) }));
        const lock = await DiskLock.take(path, 'erp/os');
        await lock.check();
        await lock.release();
      });
    } finally {
      other.kill('SIGKILL');
    }
  });

  test.each([0, 9])('S11 that finds no room for itself, after %i bytes, leaves nothing behind', async (bytes) => {
    await onWorkbench(512, async (bench) => {
      const path = bench.statePath('lock');
      mkdirSync(dirname(path), { recursive: true });
      const restore = await watchHost(async (call) => {
        if (call.name !== 'writeFile' || !call.path.startsWith(path)) return call.all();
        if (bytes > 0) await call.first(bytes);
        throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
      });
      try {
        const failure = await DiskLock.take(path, 'erp/os').catch((error: unknown) => error);
        expect(failure).toMatchObject({ op: 'lock.take', message: expect.stringContaining('the disk is full') });
      } finally {
        restore();
      }
      expect(readdirSync(dirname(path))).toEqual([]);
    });
  });

  test('taken by many at once is held by one', async () => {
    await onWorkbench(512, async (bench) => {
      const path = bench.statePath('lock');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: '1', boot, token: 'x' }));
      const tries = await Promise.allSettled(Array.from({ length: 20 }, () => DiskLock.take(path, 'erp/os')));
      const held = tries.filter((result) => result.status === 'fulfilled');
      const good = await Promise.allSettled(held.map((result) => result.value.check()));
      expect(good.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    });
  });
});

describe('an attempt told to stop', () => {
  test('throws the reason it was given, at once even when the source is deaf, and resumes what it proved', async () => {
    await onWorkbench(size, async (bench) => {
      const stop = new AbortController();
      const reason = new Error('ActivityPause');
      const source = new ImagePoint(image, undefined, (offset) => {
        if (offset < 36 * mib) return undefined;
        setTimeout(() => stop.abort(reason), 50);
        return deaf();
      });
      await expect(bench.transfer(source, 'p0', { signal: stop.signal, inFlight: 1 })).rejects.toBe(reason);
      const again = new ImagePoint(image);
      const proof = await bench.transfer(again, 'p0');
      // Everything that was written was made durable on the way out, and proven by this attempt.
      expect(again.reads.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual([36 * mib]);
      expect(proof.resumedBytes).toBe(35 * mib);
      expect(proof.provenBytes).toBe(size - 2 * mib);
      expect(proof.copiedBytes).toBe(size - 2 * mib);
    });
  });

  test('before it began does nothing at all', async () => {
    await onWorkbench(size, async (bench) => {
      const reason = new Error('too late');
      const call = bench.transfer(new ImagePoint(image), 'p0', { signal: AbortSignal.abort(reason) });
      await expect(call).rejects.toBe(reason);
      expect(readdirSync(bench.folder)).toEqual(['target.raw']);
    });
  });
});
