/**
 * S8 across movers: one that Temporal no longer counts on reaches the disk's file all the same (a mounted datastore), while
 * another has the disk or has sealed it. Rule: the late one keeps a state folder of its own, as on its own machine.
 */
import { observeDisk } from '../../disk/target-disk.ts';
import { failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 24 * mib;
const earlier = patternImage(1, size);
const later = patternImage(2, size);
const stale = patternImage(9, size);

const elsewhere = (bench: Workbench) => ({ stateDir: `${bench.folder}/state of the late mover`, inFlight: 1 });

/** Lets the first call pass and holds the others back until it is opened. */
function gate() {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  return {
    reached: reached.promise,
    open: opened.resolve,
    async pass(): Promise<void> {
      if (++calls < 2) return;
      reached.resolve();
      await opened.promise;
    },
  };
}

async function expectSealed(bench: Workbench): Promise<void> {
  expect((await observeDisk(bench.options())).state).toBe('sealed');
  expect(firstDifference(bench.content(), later)).toBe(-1);
}

test('S3 S8 a mover whose source is slow writes not one block more once another mover has the disk', async () => {
  await onWorkbench(stale, async (bench) => {
    const source = gate();
    const slow = new ImagePoint(earlier, undefined, () => source.pass());
    const late = failureOf(bench.transfer(slow, 'p0', elsewhere(bench)));
    // One block of it is written, and its window has room for three more.
    await source.reached;
    await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
    source.open();
    expect(await late).toBe('Fenced fence');
    await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
    await expectSealed(bench);
  });
});

test('S3 S8 a mover that a limit held back writes nothing on the disk that another one has sealed meanwhile', async () => {
  await onWorkbench(stale, async (bench) => {
    const limit = gate();
    const late = failureOf(
      bench.transfer(new ImagePoint(earlier), 'p0', { ...elsewhere(bench), pace: () => limit.pass() }),
    );
    await limit.reached;
    await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
    await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
    limit.open();
    expect(await late).toBe('Corrupt fence');
    await expectSealed(bench);
  });
});
