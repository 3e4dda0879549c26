/**
 * One disk, brought by an engine with small windows from point to point, over a host that answers late and may fail or lie.
 * Rule: what the disk is to be is kept here as an image. All that is random comes from one seed, but for what the threads of the
 * host make of it. Never asks the engine how it is doing.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { type Geometry, geometryOf } from '../../disk/geometry.ts';
import { leafBytes } from '../../disk/leaves.ts';
import type { Extent } from '../../disk/point-reader.ts';
import { type HostCall, watchHost } from './host-edge.ts';
import { TargetLog } from './target-log.ts';
import { Dice, Fault } from './window-faults.ts';
import { data, fastFolder, ImagePoint, mib, patternBytes, patternImage, Workbench, zero } from './workbench.ts';

export type Engine = typeof import('../../disk/target-disk.ts');

const block = 4 * mib;
/** A block must weigh no more than a window, or nobody ends the one that the lanes wait for. */
const windowLeaves = 8;
export const windowBytes = windowLeaves * leafBytes;
const sector = 512;
const hangsMs = 20_000;
const most = { blocks: 8, tailBytes: 3 * mib };
/** Used again by each scene: of new ones the collector has more to do than the engine. */
const imageSpace = Buffer.alloc(most.blocks * block + most.tailBytes);
const contentSpace = Buffer.from(imageSpace);

export interface Round {
  readonly point: string;
  readonly base: string;
  readonly extents: readonly Extent[];
}

export class Scene {
  readonly bench: Workbench;
  readonly image: Buffer;
  readonly geometry: Geometry;
  readonly log: TargetLog;
  /** Where bytes came that do not belong there. */
  readonly strays: { offset: number; length: number }[] = [];
  /** What is random of the disk and its changes; and of what befalls its calls, whose order no seed decides. */
  private readonly plan: Dice;
  private readonly weather: Dice;
  private readonly engine: Engine;

  constructor(engine: Engine, seed: number) {
    this.engine = engine;
    this.plan = new Dice(seed);
    this.weather = new Dice(-seed);
    const tailBytes = this.plan.one([0, sector, mib, mib + sector, most.tailBytes]);
    const sizeBytes = (3 + this.plan.roll(most.blocks - 2)) * block + tailBytes;
    this.bench = new Workbench(sizeBytes, fastFolder());
    this.image = imageSpace.subarray(0, sizeBytes).fill(0);
    this.geometry = geometryOf(sizeBytes, 'erp/os');
    this.log = new TargetLog(this.geometry);
    // Else it is blank.
    if (this.plan.roll(2) === 0) this.spoil();
  }

  /** Somebody's bytes in two places of the target. */
  private spoil(): void {
    const file = openSync(this.bench.path, 'r+');
    for (let place = 0; place < 2; place++)
      writeSync(file, patternImage(99, sector * 100), 0, sector * 100, this.somewhere(sector * 100));
    closeSync(file);
  }

  /** What the target holds, until it is asked again. */
  content(): Buffer {
    const file = openSync(this.bench.path, 'r');
    const content = contentSpace.subarray(0, this.image.byteLength);
    readSync(file, content, 0, content.byteLength, 0);
    closeSync(file);
    return content;
  }

  private somewhere(length: number): number {
    return this.plan.roll((this.image.byteLength - length) / sector) * sector;
  }

  /** The first one, whole and undisturbed: its blocks are larger than small windows are made for. */
  async begin(): Promise<void> {
    const extents = [0, 1].map(() => this.change(this.somewhere(mib), mib, false));
    await this.bench.transfer(new ImagePoint(this.image, extents), 'p0');
  }

  /** Of most blocks a few places, within as many leaves as fit into a window. */
  nextRound(number: number): Round {
    const { plan } = this;
    const extents: Extent[] = [];
    for (let at = 0; at < this.image.byteLength; at += block) {
      const room = Math.floor(Math.min(block, this.geometry.tailStart - at) / leafBytes);
      // Of one that may be written in less than that a change may be all, and then it weighs as much as all of it.
      if (plan.roll(5) === 0 || room <= windowLeaves) continue;
      const leaves = plan.one([1, 1, 2, 4, 4, windowLeaves, windowLeaves, 1 + plan.roll(windowLeaves)]);
      const first = at + plan.roll(room - leaves + 1) * leafBytes;
      for (let pieces = plan.one([0, 0, 1, 2]); pieces >= 0; pieces--) {
        const length = pieces === 0 ? leaves * leafBytes : (1 + plan.roll((leaves * leafBytes) / sector)) * sector;
        const offset = first + plan.roll((leaves * leafBytes - length) / sector + 1) * sector;
        extents.push(this.change(offset, length - plan.roll(2) * sector || sector, plan.roll(5) === 0));
      }
    }
    return { point: `p${number}`, base: `p${number - 1}`, extents };
  }

  private change(offset: number, length: number, clear: boolean): Extent {
    const view = this.image.subarray(offset, offset + length);
    if (clear) view.fill(0);
    else patternBytes(1 + this.plan.roll(1_000_000), 0, view);
    return clear ? zero(offset, length) : data(offset, length);
  }

  faults(): Fault[] {
    return Array.from({ length: this.plan.one([0, 1, 1, 2, 2]) }, () => Fault.random(this.plan));
  }

  /** Until no other call of the target is under way. */
  private async allElse(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet = this.log.underWay <= 1 ? quiet + 1 : 0) await pause(1);
  }

  /** Mostly at once; a flush at times as the last of all that can be done before it. */
  private async dawdle({ name }: Pick<HostCall, 'name'>): Promise<void> {
    const { weather } = this;
    if (name === 'flush' && weather.roll(3) === 0) await this.allElse();
    const turns = weather.one([0, 0, 0, 0, 0, 1, 2, 5, 20]);
    for (let left = turns; left > 0; left--) await turn();
    if (weather.roll(30) === 0) await pause(1 + weather.roll(3));
  }

  /** Runs an attempt; what it ended with as `Kind op`, `stopped`, or nothing when it ended well. */
  async attempt({ point, base, extents }: Round, faults: readonly Fault[]): Promise<string> {
    const { bench, log } = this;
    const stop = new AbortController();
    const restore = await watchHost(async (call) => {
      const onTarget = call.path === bench.path;
      if (!onTarget && call.path !== bench.statePath('journal')) return call.all();
      const act = async (): Promise<unknown> => {
        await this.dawdle(call);
        const place = {
          log,
          onTarget,
          stop: () => stop.abort(new Error('stopped')),
          strayed: (offset: number, length: number) => void this.strays.push({ offset, length }),
        };
        const fault = faults.find((one) => one.comesAt(call, place));
        const answer = await (fault === undefined ? call.all() : fault.kind.act(call, place));
        await this.dawdle({ name: 'write' });
        return answer;
      };
      return onTarget ? log.see(call, act) : act();
    });
    const source = new ImagePoint(this.image, extents, () => this.dawdle({ name: 'read' }));
    const how = { inFlight: 1 + this.plan.roll(6), signal: stop.signal, base };
    try {
      const transfer = this.engine.transferDisk({ ...bench.options(how), source, point });
      await Promise.race([
        transfer,
        pause(hangsMs, undefined, { ref: false }).then(() => Promise.reject(new Error('it hangs'))),
      ]);
    } catch (error) {
      const { kind, op, message } = error as { kind?: string; op?: string; message: string };
      if (kind === undefined && message !== 'stopped') throw error;
      return kind === undefined ? message : `${kind} ${op}`;
    } finally {
      restore();
    }
    return '';
  }
}
