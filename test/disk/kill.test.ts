/**
 * L2, S3, S4: a mover killed at any write, flush or rename goes on where it was, and nothing half-done ever boots.
 * Rule: the kill is a real SIGKILL in another process, also in the middle of a write, onto an old disk in place and onto
 * a new one beside it. HOMEWARD_KILL_POINTS sets the number of stops (default 128, spread evenly over all there are);
 * HOMEWARD_FAULTS=all goes over every stop in every way of dying; HOMEWARD_KILL_AT=<stop> plays one again.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes } from '../../disk/geometry.ts';
import { decodeMarker } from '../../disk/open-marker.ts';
import { Children, PreparedStory, type Stop, ways } from './kill-scene.ts';
import { hows, playStage, type StoryName, stages, stories } from './kill-story.ts';
import { firstDifference, mib, type Workbench } from './workbench.ts';

const all = process.env.HOMEWARD_FAULTS === 'all';
const wanted = Number(process.env.HOMEWARD_KILL_POINTS ?? (all ? Number.POSITIVE_INFINITY : 128));
const single = process.env.HOMEWARD_KILL_AT;
/** How the wanted stops are shared out; the long story is dear, but only there can the bound of L2 be broken. */
const shares = { small: 3 / 4, windows: 7 / 32, long: 1 / 32 } as const;
const lanes = 3;

const nameOf = ({ story, way, stage, stopAt, how }: Stop): string => [story, way, stage, stopAt, how].join(':');

const children = new Children();
const prepared = new Map<string, PreparedStory>();
afterAll(() => {
  for (const story of prepared.values()) story.remove();
  children.remove();
});

async function preparedStory(story: StoryName, way: Stop['way']): Promise<PreparedStory> {
  const key = `${story} ${way}`;
  const known = prepared.get(key) ?? (await PreparedStory.play(story, way, children));
  prepared.set(key, known);
  return known;
}

/** Whatever is read of a block that was read before counts as sent again, also when it is another part of it. */
const blockOf = (line: string): string => {
  const [stage, offset] = line.split(' ');
  return `${stage} ${Math.floor(Number(offset) / blockBytes)}`;
};

/** S4: what is on the disk after the kill is open, untouched, or the whole final point. */
function neverHalfBootable(bench: Workbench, { stale, final }: PreparedStory): boolean {
  if (decodeMarker(bench.sector()) !== undefined) return true;
  const content = bench.content();
  return content.equals(stale) || content.equals(final);
}

/** Plays what is left after a kill; answers the bytes that were sent again. */
async function goOn(bench: Workbench, stop: Stop, lines: readonly string[]): Promise<number> {
  const touched = new Set(lines.map(blockOf));
  let again = 0;
  for (const stage of stages.slice(stages.indexOf(stop.stage))) {
    await playStage(stories[stop.story], stage, bench.options(), (line) => {
      if (touched.has(blockOf(line)) && stage !== 'seal') again += Number(line.split(' ')[2]);
    });
  }
  return again;
}

async function killAndResume(stop: Stop): Promise<number> {
  const story = await preparedStory(stop.story, stop.way);
  const bench = story.before(stop.stage);
  try {
    const lines = await children.run(bench, stop);
    expect(lines.at(-1) ?? '').not.toContain('operations');
    expect(neverHalfBootable(bench, story)).toBe(true);
    const again = await goOn(bench, stop, lines);
    expect(again).toBeLessThanOrEqual(64 * mib);
    expect(firstDifference(bench.content(), story.final)).toBe(-1);
    return again;
  } finally {
    bench.remove();
  }
}

/** Where the most is at stake: most of a window is written, and the record does not say so yet. */
function beforeRecords(stops: readonly Stop[]): Stop[] {
  let written = 0;
  return stops.filter(({ stage, call }) => {
    if (stage !== 'p0') return false;
    if (call === 'write') written++;
    if (call !== 'append') return false;
    const most = written > 2;
    written = 0;
    return most;
  });
}

function evenly(stops: readonly Stop[], count: number): Stop[] {
  if (count >= stops.length) return [...stops];
  return Array.from({ length: count }, (_, index) => stops[Math.floor(((index + 0.5) * stops.length) / count)]).filter(
    (stop) => stop !== undefined,
  );
}

/**
 * So many of them, evenly spread; every one of them in every way of dying when there are fewer than wanted. Of the calls that
 * punch a hole there are few, and all are among them.
 */
function spread(stops: readonly Stop[], count: number): Stop[] {
  const every = stops.flatMap((stop) => hows.map((how) => ({ ...stop, how })));
  const punches = every.filter(({ call }) => call === 'punch').slice(0, count);
  const others = every.filter((stop) => !punches.includes(stop));
  return [...punches, ...evenly(others, count - punches.length)];
}

/** What a cheap story has too few stops for, the next dearer one plays; the dearest are played first. */
async function stopsToPlay(): Promise<Stop[]> {
  const chosen: Stop[] = [];
  let owed = 0;
  for (const story of ['small', 'windows', 'long'] as const) {
    const stops: Stop[] = [];
    // Preparing the long one is dear too.
    for (const way of story === 'long' && !all ? (['in-place'] as const) : ways)
      stops.push(...(await preparedStory(story, way)).stops);
    const due = wanted * shares[story] + owed;
    const count = Math.floor(due);
    const first = story === 'long' && !all ? evenly(beforeRecords(stops), count) : [];
    // Of the dearest there are few such stops; nobody comes after it to play what it owes.
    const picked = [...first, ...spread(stops, count - first.length)];
    owed = due - picked.length;
    chosen.unshift(...picked);
  }
  return chosen;
}

async function playAll(stops: readonly Stop[]): Promise<number> {
  const rest = stops.values();
  let most = 0;
  const lane = async (): Promise<void> => {
    for (const stop of rest) {
      try {
        most = Math.max(most, await killAndResume(stop));
      } catch (error) {
        rest.return?.();
        throw new Error(`replay with HOMEWARD_KILL_AT=${nameOf(stop)}`, { cause: error });
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return most;
}

/** The system's own calls that change a file. */
const changing =
  'write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat';
const canTrace = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']).status === 0;
if (!canTrace) console.warn('SKIPPED: whether the stops are all there are needs strace and the right to trace');

/** The changing calls on the disk and its record that the system saw, the child's own log left out. */
function callsIn(trace: string, { folder }: Workbench): string[] {
  const lines = readFileSync(trace, 'utf8').split('\n');
  return lines.filter((line) => line.includes(folder) && !line.includes(`${folder}/log`) && !line.includes('<... '));
}

(canTrace ? test : test.skip)('L2 the stops of a kill are all calls by which the system changes a file', async () => {
  const story = await preparedStory('small', 'staged');
  const bench = story.before('p1');
  try {
    const trace = join(bench.folder, 'log.trace');
    const under = ['strace', '-f', '-y', '-s', '0', '-o', trace, '-e', `trace=${changing}`];
    await children.run(bench, { story: 'small', stage: 'p1', stopAt: 0, how: 'before' }, under);
    expect(callsIn(trace, bench)).toHaveLength(story.stops.filter(({ stage }) => stage === 'p1').length);
  } finally {
    bench.remove();
  }
});

describe('a mover killed at any write', () => {
  test(
    'L2 S3 S4 goes on, sends at most 64 MiB again, and ends with the same bytes',
    async () => {
      if (single !== undefined) {
        const [story = 'small', way = 'staged', stage = 'p0', at = '1', how = 'before'] = single.split(':');
        await killAndResume({ story, way, stage, stopAt: Number(at), how } as Stop);
        return;
      }
      const stops = await stopsToPlay();
      expect(stops.length).toBeGreaterThanOrEqual(Math.min(Math.floor(wanted), 1024));
      const most = await playAll(stops);
      // The bound means something only when some stop made a good part of a window be sent again.
      expect(most).toBeGreaterThan(4 * mib);
    },
    60_000 + Math.min(wanted, 3_000) * 5_000,
  );
});
