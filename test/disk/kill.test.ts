/**
 * L2, S3, S4: a mover killed at any write, flush or rename goes on where it was, and nothing half-done ever boots.
 * Rule: the kill is a real SIGKILL in another process, also in the middle of a write. HOMEWARD_KILL_POINTS sets the
 * number of stops (default 6, spread evenly), HOMEWARD_FAULTS=all goes over every stop in every way;
 * HOMEWARD_KILL_AT=<n>:<how> plays one again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes } from '../../disk/geometry.ts';
import { decodeMarker } from '../../disk/open-marker.ts';
import { type ChildOrder, playStage, type Stage, stages, storyBytes, storySize } from './kill-story.ts';
import { firstDifference, mib, onWorkbench, type Workbench } from './workbench.ts';

const stale = Buffer.alloc(storySize);
const final = Buffer.alloc(storySize);
storyBytes('p1', 0, final);

const hows = ['before', 'torn', 'after'] as const;

async function runChild(bench: Workbench, stopAt: number, how: ChildOrder['how']): Promise<string[]> {
  const { path, sizeBytes, stateDir } = bench;
  const options = { path, sizeBytes, stateDir, disk: 'os', machine: 'erp', run: 'run-1' };
  const log = join(bench.folder, 'log');
  const order: ChildOrder = { options, stopAt, how, log };
  const program = join(__dirname, 'kill-child.ts');
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`the child ended with ${code ?? signal}`);
  try {
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // Killed before the first read.
    return [];
  }
}

/** S4: what is on the disk after the kill is untouched, open, or the whole final point. */
function neverHalfBootable(content: Buffer): boolean {
  return decodeMarker(content) !== undefined || content.equals(stale) || content.equals(final);
}

/** Whatever is read of a block that was read before counts as sent again, also when it is another part of it. */
const blockOf = (line: string): string => {
  const [stage, offset] = line.split(' ');
  return `${stage} ${Math.floor(Number(offset) / blockBytes)}`;
};

async function killAndResume(stopAt: number, how: ChildOrder['how']): Promise<void> {
  await onWorkbench(storySize, async (bench) => {
    const lines = await runChild(bench, stopAt, how);
    expect(neverHalfBootable(bench.content())).toBe(true);
    const before = new Set(lines);
    const touched = new Set(lines.map(blockOf));
    const left = stages.filter((stage: Stage) => !before.has(`done ${stage}`));
    let again = 0;
    for (const stage of left) {
      await playStage(stage, bench.options(), (line) => {
        if (touched.has(blockOf(line)) && stage !== 'seal') again += Number(line.split(' ')[2]);
      });
    }
    expect(again).toBeLessThanOrEqual(64 * mib);
    expect(firstDifference(bench.content(), final)).toBe(-1);
  });
}

/** Few stops are spread evenly and take turns in how they kill; many go over all of them, then again in another way. */
function stopOf(index: number, operations: number, wanted: number): [number, ChildOrder['how']] {
  if (wanted < operations) return [1 + Math.floor((index * operations) / wanted), hows[index % 3] ?? 'before'];
  return [1 + (index % operations), hows[Math.floor(index / operations) % 3] ?? 'before'];
}

const single = process.env.HOMEWARD_KILL_AT?.split(':');
const all = process.env.HOMEWARD_FAULTS === 'all';
const points = process.env.HOMEWARD_KILL_POINTS ?? (all ? undefined : 6);
/** Stops to play: what was asked for, or every one in every way. */
const wantedOf = (operations: number): number => (points === undefined ? operations * hows.length : Number(points));

describe('a mover killed at any write', () => {
  test(
    'L2 goes on, sends at most 64 MiB again, and ends with the same bytes',
    async () => {
      if (single !== undefined) {
        await killAndResume(Number(single[0]), hows.find((how) => how === single[1]) ?? 'before');
        return;
      }
      let operations = 0;
      await onWorkbench(storySize, async (bench) => {
        const last = (await runChild(bench, 0, 'before')).at(-1) ?? '';
        operations = Number(/^operations (\d+)$/.exec(last)?.[1]);
        expect(firstDifference(bench.content(), final)).toBe(-1);
      });
      expect(operations).toBeGreaterThan(100);
      const wanted = wantedOf(operations);
      let next = 0;
      // Two at a time: a story is mostly waiting for the disk.
      const lane = async (): Promise<void> => {
        while (next < wanted) {
          const index = next++;
          const [stopAt, how] = stopOf(index, operations, wanted);
          try {
            await killAndResume(stopAt, how);
          } catch (error) {
            next = wanted;
            throw new Error(`replay with HOMEWARD_KILL_AT=${stopAt}:${how}`, { cause: error });
          }
        }
      };
      await Promise.all([lane(), lane()]);
    },
    60_000 + wantedOf(300) * 5_000,
  );
});
