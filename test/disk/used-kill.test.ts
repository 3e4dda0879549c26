/**
 * L2, S3, S4 on the way to another point: a mover killed at any call while a disk that was in use is taken there, or sealed
 * again. HOMEWARD_FAULTS=all goes over every stop in every way of dying.
 */
import { writeFileSync } from 'node:fs';
import { decodeMarker } from '../../disk/open-marker.ts';
import { Children } from './kill-scene.ts';
import { type AnyStage, hows, playStage, stages, stagesAfterUse, stories, storyBytes } from './kill-story.ts';
import { fastFolder, firstDifference, mib, patternImage, Workbench } from './workbench.ts';

const story = stories.windows;
const wanted = process.env.HOMEWARD_FAULTS === 'all' ? Number.POSITIVE_INFINITY : 16;
const lanes = 3;
const imageOf = (point: 'p0' | 'p1'): Buffer => {
  const image = Buffer.alloc(story.sizeBytes);
  storyBytes(story, point, 0, image);
  return image;
};
const final = imageOf('p0');
const used = imageOf('p1');
/** The machine wrote into its boot sector and, far from each other, into two windows of leaves. */
for (let at = 0; at < story.sizeBytes; at += 256 * 1024) used.fill(0x77, at, at + 512);

const children = new Children();
const before = new Map<AnyStage, Workbench>();
afterAll(() => {
  for (const bench of before.values()) bench.remove();
  children.remove();
});

interface Stop {
  readonly stage: AnyStage;
  readonly stopAt: number;
  readonly how: (typeof hows)[number];
}
const run = (bench: Workbench, stop: Stop): Promise<string[]> => children.run(bench, { ...stop, story: 'windows' });

/** Plays it once with nobody killed; answers all stops there are. */
async function prepare(): Promise<Stop[]> {
  const bench = new Workbench(patternImage(9, story.sizeBytes), fastFolder());
  for (const stage of stages) await playStage(story, stage, bench.options(), () => undefined);
  writeFileSync(bench.path, used);
  const stops: Stop[] = [];
  for (const stage of stagesAfterUse) {
    before.set(stage, bench.copy());
    const last = (await run(bench, { stage, stopAt: 0, how: 'before' })).at(-1) ?? '';
    const calls = /^operations (.*)$/.exec(last)?.[1]?.split(' ') ?? [];
    for (const [index] of calls.entries()) for (const how of hows) stops.push({ stage, stopAt: index + 1, how });
  }
  expect(firstDifference(bench.content(), final)).toBe(-1);
  bench.remove();
  return stops;
}

/** S4: what a kill leaves is as it was used, open, or the whole other point. */
function neverHalfBootable(bench: Workbench): boolean {
  const content = bench.content();
  return decodeMarker(content) !== undefined || content.equals(used) || content.equals(final);
}

async function killAndResume(stop: Stop): Promise<void> {
  const bench = before.get(stop.stage)?.copy();
  if (!bench) throw new RangeError(`${stop.stage} was not prepared`);
  try {
    const lines = await run(bench, stop);
    expect(lines.at(-1) ?? '').not.toContain('operations');
    expect(neverHalfBootable(bench)).toBe(true);
    for (const stage of stagesAfterUse.slice(stagesAfterUse.indexOf(stop.stage as 'another')))
      await playStage(story, stage, bench.options(), () => undefined);
    expect(firstDifference(bench.content(), final)).toBe(-1);
  } finally {
    bench.remove();
  }
}

test(
  'L2 S3 S4 a mover killed at any write on the way to another point goes on, never leaves a disk that half boots, and ends with the same bytes',
  async () => {
    const all = await prepare();
    const count = Math.min(wanted, all.length);
    const stops = Array.from({ length: count }, (_, at) => all[Math.floor(((at + 0.5) * all.length) / count)]);
    const rest = stops.values();
    const lane = async (): Promise<void> => {
      for (const stop of rest) {
        if (!stop) continue;
        try {
          await killAndResume(stop);
        } catch (error) {
          rest.return?.();
          throw new Error(`killed ${stop.how} call ${stop.stopAt} of ${stop.stage}`, { cause: error });
        }
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    expect(count).toBeGreaterThanOrEqual(16);
  },
  240_000 + Math.min(wanted, 3_000) * 5_000,
);

test('L2 what was proven before the kill is not fetched again', async () => {
  const bench = before.get('another')?.copy();
  if (!bench) throw new RangeError('not prepared');
  try {
    // Behind the second window's record: most of two windows is proven by then.
    const lines = await run(bench, { stage: 'another', stopAt: (await stopsOf(bench)) - 8, how: 'before' });
    const seen: string[] = [];
    await playStage(story, 'another', bench.options(), (line) => void seen.push(line));
    const bytes = (all: readonly string[]): number =>
      all.filter((line) => line.startsWith('another')).reduce((sum, line) => sum + Number(line.split(' ')[2]), 0);
    expect(bytes(lines)).toBeGreaterThan(8 * mib);
    expect(bytes(seen)).toBeLessThan(mib);
  } finally {
    bench.remove();
  }
});

/** How many calls the whole stage has. */
async function stopsOf(bench: Workbench): Promise<number> {
  const whole = bench.copy();
  const last = (await run(whole, { stage: 'another', stopAt: 0, how: 'before' })).at(-1) ?? '';
  whole.remove();
  return last.split(' ').length - 1;
}
