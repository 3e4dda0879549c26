/** What the records of a copy really take, against what a preflight asks for. */
import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { observeState } from '../../activities/mover-worker.ts';
import { heldBytes } from '../../disk/state-folder.ts';
import { stateBytes } from '../../model/mover-room.ts';
import { ImagePoint, Workbench } from './workbench.ts';

const MiB = 1024 ** 2;

test('S000-2 the records of a disk full of data take no more than a preflight asks for, and not far less', async () => {
  const image = randomBytes(96 * MiB);
  const bench = new Workbench(image.byteLength);
  try {
    let most = 0;
    const held = async () => {
      most = Math.max(most, await heldBytes(bench.stateDir, 'erp'));
    };
    await bench.transfer(new ImagePoint(image, undefined, held), 'p0');
    await held();
    expect(most).toBeLessThanOrEqual(stateBytes([image.byteLength]));
    expect(most).toBeGreaterThan(stateBytes([image.byteLength]) / 4);
    expect(await observeState(bench.stateDir, 'erp')).toMatchObject({
      folder: bench.stateDir,
      heldBytes: await heldBytes(bench.stateDir, 'erp'),
    });
  } finally {
    bench.remove();
  }
});

test('S000-2 a mover tells what its user may still write in its state folder, and why it cannot look', async () => {
  const bench = new Workbench(MiB);
  try {
    const { freeBytes, heldBytes: held } = await observeState(bench.folder, 'unknown');
    const { bavail, bsize } = statfsSync(bench.folder);
    expect(Math.abs(freeBytes - bavail * bsize)).toBeLessThan(256 * MiB);
    expect(held).toBe(0);
    expect((await observeState(`${bench.folder}/gone`, 'erp')).problem).toBe('ENOENT');
  } finally {
    bench.remove();
  }
});
