/**
 * S3, L2: a model of windows. Rounds of random changes by random lanes onto a real file, whose host answers late and out of
 * order, and fails or lies at random calls. A round ends well only when each leaf that was written was flushed and then read
 * back, and the file is what the model says; one that ends badly has recorded nothing as proven that is not on the disk.
 * Rule: the engine is the real one with windows of 512 KiB for 16 MiB, so that many fit into a run. Runs are drawn from a seed
 * and print it: HOMEWARD_WINDOWS_SEED=<seed> plays one again. HOMEWARD_WINDOWS_SECONDS sets for how long (default 8, 60 with
 * HOMEWARD_FAULTS=all).
 */
import { type BlockJob, blockWork, isZeroRun, lengthOf } from '../../disk/block-plan.ts';
import { newShare, poolBlocks } from '../../disk/block-pool.ts';
import { digestNamed } from '../../disk/digest.ts';
import { collectChanges } from '../../disk/extents.ts';
import { blankWithheld, blockRange } from '../../disk/geometry.ts';
import { blockDigest, touchedLeaves } from '../../disk/leaves.ts';
import { type LedgerView, viewLedger } from '../../disk/ledger.ts';
import { stateFolder } from '../../disk/state-folder.ts';
import { type LoadAltered, withAltered } from './altered-engine.ts';
import type { Fault } from './window-faults.ts';
import { type Engine, type Round, Scene, windowBytes } from './window-scene.ts';
import { firstDifference, ImagePoint } from './workbench.ts';

const openLimit = 2 * windowBytes;
const smallWindows = {
  file: 'window.ts',
  line: 'const windowBytes = 16 * 1024 * 1024;',
  instead: `const windowBytes = ${windowBytes};`,
};
const single = process.env.HOMEWARD_WINDOWS_SEED;
const seconds = Number(process.env.HOMEWARD_WINDOWS_SECONDS ?? (process.env.HOMEWARD_FAULTS === 'all' ? 60 : 8));
const rounds = 8;
const attempts = 4;

/** What each block of the round counts while it is written and not durable: the leaves it touches. */
async function weightsOf({ geometry, image }: Scene, { extents }: Round): Promise<Map<number, number>> {
  const changes = await collectChanges(new ImagePoint(image, extents).changes(), {
    sizeBytes: geometry.sizeBytes,
    subject: 'erp/os',
  });
  const jobs = [...blockWork(geometry, changes, false)].filter((work) => !isZeroRun(work)) as BlockJob[];
  return new Map(jobs.map(({ block, writes }) => [block, lengthOf(touchedLeaves(geometry, block, writes))]));
}

/** Of a range of the disk: whether bytes came there that do not belong there. */
const strayed = ({ strays }: Scene, start: number, end: number): boolean =>
  strays.some(({ offset, length }) => offset < end && start < offset + length);

/** The file is the image wherever it may be written while the disk is open. */
function equalsModel(scene: Scene): void {
  const { image, geometry } = scene;
  const found = scene.content().subarray(geometry.headEnd, geometry.tailStart);
  const must = image.subarray(geometry.headEnd, geometry.tailStart);
  for (const { offset, length } of scene.strays) {
    const [start, end] = [offset - geometry.headEnd, offset + length - geometry.headEnd];
    must.copy(found, Math.max(0, start), Math.max(0, start), end);
  }
  expect(firstDifference(found, must)).toBe(-1);
}

/** What the record says is proven in the round, and what it says is durable, is on the disk. */
async function recordIsTrue(scene: Scene, view: LedgerView & { known: true }, lied: boolean): Promise<void> {
  const { geometry } = scene;
  const { state, checkpoint } = view;
  const digest = await digestNamed(state.algorithm);
  if (digest === undefined) throw new Error('no digest');
  const content = scene.content();
  const digestNow = (block: number): string => {
    const range = blockRange(geometry, block);
    const bytes = content.subarray(range.start, range.end);
    blankWithheld(geometry, range, bytes);
    return blockDigest(digest, bytes).toString('base64');
  };
  const wrong: string[] = [];
  const compare = (block: number, must: string, what: string): void => {
    const { start, end } = blockRange(geometry, block);
    if (!strayed(scene, start, end) && digestNow(block) !== must) wrong.push(`block ${block} is not what is ${what}`);
  };
  for (let block = 0; block < geometry.blocks; block++)
    if (checkpoint.table.isProvenInRound(block))
      compare(block, Buffer.from(await checkpoint.table.digestOf(block)).toString('base64'), 'proven');
  // A lie is found only by the proof.
  for (const { block, digest: must } of lied ? [] : state.unproven.flatMap(({ blocks }) => blocks))
    compare(block, must, 'durable');
  expect(wrong).toEqual([]);
}

async function checkRecord(scene: Scene, lied: boolean): Promise<void> {
  const view = await viewLedger(stateFolder(scene.bench.stateDir, 'erp', 'os'), 'erp/os');
  if (!view.known) throw new Error(view.because);
  try {
    if (view.state.phase === 'open' && view.state.round !== null) await recordIsTrue(scene, view, lied);
  } finally {
    await view.checkpoint.table.close();
  }
}

/** How the attempt may end after what befell it, and what befell those before. */
function mayEnd(faults: readonly Fault[], lied: boolean): string[] {
  const met = faults.filter((fault) => fault.met);
  const fatal = met.filter(({ kind }) => !kind.ends.includes(''));
  const ends = (fatal.length > 0 ? fatal : met).flatMap(({ kind }) => kind.ends);
  const stopped = met.some(({ name }) => name === 'a stop') ? ['stopped'] : [];
  const found = lied ? ['Corrupt proof', 'Corrupt lineage'] : [];
  return [...ends, ...stopped, ...found, ...(fatal.length > 0 ? [] : [''])];
}

/** Brings the disk to the next point in as many attempts as it takes; whether it got there. */
async function playRound(scene: Scene, number: number): Promise<boolean> {
  const { log } = scene;
  let lied = false;
  const round = scene.nextRound(number);
  const weights = await weightsOf(scene, round);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    log.beginAttempt(weights);
    const faults = attempt < attempts - 1 ? scene.faults() : [];
    const end = await scene.attempt(round, faults);
    const befell = faults.filter(({ met }) => met);
    lied ||= befell.some(({ kind }) => kind.lies);
    if (!mayEnd(faults, lied).includes(end)) {
      const names = befell.map(({ name }) => name).join(' and ');
      throw new Error(`attempt ${attempt} on ${round.point} ended ${end || 'well'}, after ${names || 'nothing'}`);
    }
    expect({ underWay: log.underWay, flushesTooMany: log.flushesTooMany }).toEqual({ underWay: 0, flushesTooMany: 0 });
    expect(log.mostOpen).toBeLessThanOrEqual(openLimit);
    await checkRecord(scene, lied);
    if (end === '') {
      expect(log.unproven).toEqual([]);
      equalsModel(scene);
      return true;
    }
    if (end.startsWith('Corrupt')) return false;
  }
  throw new Error(`${attempts} attempts did not bring ${round.point}`);
}

/** All blocks of the pool can be lent at once. */
async function memoryIsBack(load: LoadAltered): Promise<void> {
  const pool = (await load<typeof import('../../disk/block-pool.ts')>('block-pool.ts')).processPool();
  const all = Promise.withResolvers<void>();
  const share = newShare('another', true);
  let left = poolBlocks.fetch + poolBlocks.proof;
  const hold = async (): Promise<void> => {
    if (--left === 0) all.resolve();
    await all.promise;
  };
  const signal = AbortSignal.timeout(5_000);
  signal.addEventListener('abort', () => all.reject(new Error(`${left} block(s) of memory were not given back`)));
  const lend = (need: 'clear' | 'proof', count: number): Promise<void>[] =>
    Array.from({ length: count }, () => pool.lend(need, share, signal, hold));
  await Promise.all([...lend('clear', poolBlocks.fetch), ...lend('proof', poolBlocks.proof)]);
}

async function play(load: LoadAltered, seed: number): Promise<void> {
  const scene = new Scene(await load<Engine>('target-disk.ts'), seed);
  try {
    await scene.begin();
    for (let number = 1; number <= rounds; number++)
      if (!(await playRound(scene, number)) || scene.strays.length > 0) break;
    await memoryIsBack(load);
  } catch (error) {
    throw new Error(`replay with HOMEWARD_WINDOWS_SEED=${seed}`, { cause: error });
  } finally {
    scene.bench.remove();
  }
}

test(
  'S3 L2 windows of random blocks never end a round before all of it is proven, whatever the host does',
  async () => {
    await withAltered(smallWindows, async (load) => {
      if (single !== undefined) return play(load, Number(single));
      const until = performance.now() + seconds * 1_000;
      const firstSeed = Date.now() % 1_000_000_000;
      let seed = firstSeed;
      while (performance.now() < until) await play(load, seed++);
      expect(seed).toBeGreaterThan(firstSeed);
    });
  },
  60_000 + seconds * 2_000,
);
