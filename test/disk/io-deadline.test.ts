/**
 * A target, or the mover's own state folder, whose calls do not return any more, as a dead path or a hung NFS leaves them.
 * Rule: the calls are held at the edge of the host and let go later, when they do what they were asked after all.
 */
import fs, { constants } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { forgetDisk, transferDisk } from '../../disk/target-disk.ts';
import { Failure } from '../../model/failure.ts';
import { type CallName, type HostCall, watchHost } from './host-edge.ts';
import { firstDifference, ImagePoint, mib, onWorkbench, patternImage, Workbench } from './workbench.ts';

const size = 41 * mib;
const image = patternImage(1, size);
image.fill(0, 30 * mib, 32 * mib);
const ioDeadlineMs = 800;
/** Long enough for a busy machine, and no wait for calls that never return. */
const atOnceMs = 8_000;

/** Holds calls on `path` from the first that `stops` names on, until `release` is called. */
async function hold(path: () => string, stops: (call: HostCall) => boolean) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let dead = false;
  const restore = await watchHost(async (call) => {
    if (call.path !== path()) return call.all();
    dead ||= stops(call);
    if (dead) {
      reached.resolve();
      await released.promise;
    }
    return call.all();
  });
  const release = (): void => {
    dead = false;
    released.resolve();
  };
  return { reached: reached.promise, release, restore };
}

const failed = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (error: unknown) => error,
  );

test.each<[string, (call: HostCall) => boolean]>([
  ['write', ({ name, offset }) => name === 'write' && offset >= 20 * mib],
  ['punch', ({ name }) => name === 'punch'],
  ['flush', ({ name }) => name === 'flush'],
  ['read', ({ name, offset }) => name === 'read' && offset >= 4 * mib],
])(
  'L1 S8 a %s that never returns ends the attempt as Transient with the disk’s name, and nobody gets the disk before it does',
  async (_, stops) => {
    await onWorkbench(size, async (bench) => {
      const door = await hold(() => bench.path, stops);
      try {
        const begun = performance.now();
        const failure = await failed(bench.transfer(new ImagePoint(image), 'p0', { ioDeadlineMs }));
        expect(failure).toBeInstanceOf(Failure);
        expect(failure).toMatchObject({
          kind: 'Transient',
          subject: 'erp/os',
          message: expect.stringContaining('erp/os'),
        });
        expect(performance.now() - begun).toBeGreaterThanOrEqual(ioDeadlineMs);
        // One after the other, and a third behind the second: all are told at once, and none touches the disk.
        for (let tries = 0; tries < 2; tries++) {
          const next = new ImagePoint(image);
          const told = Promise.race([
            failed(bench.transfer(next, 'p0')),
            pause(atOnceMs, 'still waiting', { ref: false }),
          ]);
          expect(await told).toMatchObject({
            ...{ kind: 'Transient', op: 'attempt', subject: 'erp/os', retryAfterMs: 30_000 },
          });
          expect(next.reads).toEqual([]);
        }
        // Its blocks are still its own: another disk is copied beside it and gets none of them.
        await onWorkbench(size, async (other) => {
          await other.transfer(new ImagePoint(image), 'p0');
          await other.seal(new ImagePoint(image), 'p0');
          expect(firstDifference(other.content(), image)).toBe(-1);
        });
      } finally {
        door.release();
        door.restore();
      }
      await goesOn(bench);
    });
  },
);

/** Holds the closing of every handle on `path` that was opened with this access, until `release` is called. */
function holdClosing(path: string, access: number) {
  const released = Promise.withResolvers<void>();
  const { open } = fs.promises;
  fs.promises.open = async (...args) => {
    const handle = await open(...args);
    if (args[0] !== path || (Number(args[1]) & 3) !== access) return handle;
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await released.promise;
      await close();
    };
    return handle;
  };
  syncBuiltinESMExports();
  const restore = (): void => {
    fs.promises.open = open;
    syncBuiltinESMExports();
  };
  return { release: () => released.resolve(), restore };
}

test.each([
  ['that reads back', constants.O_RDONLY],
  ['that writes', constants.O_RDWR],
])('L1 S8 a handle %s whose closing never returns ends the attempt as Transient too', async (_, access) => {
  await onWorkbench(size, async (bench) => {
    const door = holdClosing(bench.path, access);
    try {
      const attempt = failed(bench.transfer(new ImagePoint(image), 'p0', { ioDeadlineMs }));
      const told = await Promise.race([attempt, pause(atOnceMs, 'still waiting', { ref: false })]);
      expect(told).toMatchObject({ kind: 'Transient', op: 'target.close', subject: 'erp/os' });
    } finally {
      door.restore();
      door.release();
    }
    await goesOn(bench);
  });
});

/** Which file of the state folder hangs, and the call that is the first to do so. */
const ownFiles: readonly [string, string, string, CallName, number][] = [
  ['journal', 'journal', 'journal.append', 'append', 3],
  ['checkpoint', 'checkpoint.new', 'state.checkpoint', 'append', 3],
  ['digests of leaves', 'leaves', 'leaves', 'write', 1],
  ['lock', 'lock', 'lock.check', 'stat', 2],
];

test.each(ownFiles)(
  'L1 L7 S8 the mover’s own storage that never answers a call on the %s ends the attempt as Transient, told what hangs',
  async (_, file, op, name, nth) => {
    await onWorkbench(size, async (bench) => {
      let count = 0;
      const door = await hold(
        () => bench.statePath(file),
        (call) => call.name === name && ++count === nth,
      );
      try {
        const attempt = failed(bench.transfer(new ImagePoint(image), 'p0', { ioDeadlineMs }));
        const told = await Promise.race([attempt, pause(atOnceMs, 'still waiting', { ref: false })]);
        expect(told).toMatchObject({ kind: 'Transient', op, message: expect.stringContaining('own record of erp/os') });
        expect(await failed(bench.transfer(new ImagePoint(image), 'p0'))).toMatchObject({ op: 'attempt' });
      } finally {
        door.release();
        door.restore();
      }
      await goesOn(bench);
    });
  },
);

test('L7 an attempt that is stopped while its journal hangs ends with the caller’s reason', async () => {
  await onWorkbench(size, async (bench) => {
    const door = await hold(
      () => bench.statePath('journal'),
      ({ name }) => name === 'append',
    );
    try {
      const [stop, reason] = [new AbortController(), new Error('ActivityPause')];
      const options = { ioDeadlineMs, signal: stop.signal };
      const attempt = failed(bench.transfer(new ImagePoint(image), 'p0', options));
      await door.reached;
      stop.abort(reason);
      expect(await Promise.race([attempt, pause(atOnceMs, 'still waiting', { ref: false })])).toBe(reason);
    } finally {
      door.release();
      door.restore();
    }
    await goesOn(bench);
  });
});

test('S11 a record whose removal hangs is told as Transient, and is removed once the storage answers', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    const door = await hold(
      () => bench.statePath('lock'),
      ({ name }) => name === 'unlink',
    );
    const forget = (): Promise<unknown> => failed(forgetDisk({ ...bench.options(), ioDeadlineMs }));
    try {
      const told = await Promise.race([forget(), pause(atOnceMs, 'still waiting', { ref: false })]);
      expect(told).toMatchObject({ kind: 'Transient', op: 'lock.release' });
    } finally {
      door.release();
      door.restore();
    }
    let ended = false;
    for (const end = performance.now() + 10_000; !ended && performance.now() < end; await pause(20))
      ended = (await forget()) === undefined;
    expect(ended).toBe(true);
  });
});

/** The calls have returned: a next attempt gets the disk and brings it to its end. */
async function goesOn(bench: Workbench): Promise<void> {
  let ended = false;
  for (const end = performance.now() + 10_000; !ended && performance.now() < end; await pause(20))
    ended = (await failed(bench.transfer(new ImagePoint(image), 'p0'))) === undefined;
  expect(ended).toBe(true);
  await bench.seal(new ImagePoint(image), 'p0');
  expect(firstDifference(bench.content(), image)).toBe(-1);
}

test('a target that is slow but answers is not given up', async () => {
  await onWorkbench(9 * mib, async (bench) => {
    const small = patternImage(1, 9 * mib);
    const slowMs = 2_000;
    let silentMs = 0;
    const restore = await watchHost(async (call) => {
      if (call.path === bench.path) {
        await pause(slowMs / 10);
        silentMs += slowMs / 10;
      }
      return call.all();
    });
    try {
      await bench.transfer(new ImagePoint(small), 'p0', { ioDeadlineMs: slowMs, inFlight: 1 });
    } finally {
      restore();
    }
    expect(silentMs).toBeGreaterThan(slowMs);
  });
});

test('an attempt that is stopped by its caller while the target is silent ends with the caller’s reason', async () => {
  await onWorkbench(size, async (bench) => {
    const door = await hold(
      () => bench.path,
      ({ name, offset }) => name === 'write' && offset >= 20 * mib,
    );
    try {
      const [stop, reason] = [new AbortController(), new Error('ActivityPause')];
      const call = failed(bench.transfer(new ImagePoint(image), 'p0', { ioDeadlineMs, signal: stop.signal }));
      await door.reached;
      stop.abort(reason);
      expect(await call).toBe(reason);
    } finally {
      door.release();
      door.restore();
    }
    // Only for the folder to be left in peace: the attempt ends now.
    await pause(200);
  });
});

test.each<[string, (call: HostCall) => boolean]>([
  ['writes', ({ name, offset }) => name === 'write' && offset >= 4 * mib],
  ['read-backs', ({ name, offset }) => name === 'read' && offset >= 4 * mib],
])('L5 two disks whose %s never return keep no other machine’s cutover from its memory', async (_, stops) => {
  await onWorkbench(size, async (bench) => {
    const sound = new Workbench(size, bench.folder, 'sound.raw');
    const stuck = ['os', 'data-0'].map((disk) => ({ disk, own: new Workbench(size, bench.folder, `${disk}.raw`) }));
    const released = Promise.withResolvers<void>();
    const restore = await watchHost(async (call) => {
      if (stuck.some(({ own }) => own.path === call.path) && stops(call)) await released.promise;
      return call.all();
    });
    const copy = (own: Workbench, more: object) =>
      transferDisk({ ...own.options(), ...more, source: new ImagePoint(image), point: 'p0' });
    try {
      const failures = await Promise.all(stuck.map(({ disk, own }) => failed(copy(own, { disk, ioDeadlineMs }))));
      for (const failure of failures) expect(failure).toMatchObject({ kind: 'Transient' });
      await copy(sound, { machine: 'other', urgent: true });
    } finally {
      released.resolve();
      restore();
    }
  });
});
