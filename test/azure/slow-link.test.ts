/**
 * Disks read over a link that is slow for all of them together: it is found out how many requests it takes, and every range
 * arrives. The link is a model in a time of its own, so that 100 KiB/s and five minutes cost nothing.
 * Rule: only the link is a model; who asks, waits, checks and repeats is the product.
 */
import { BlockPool, newShare, poolBlocks, urgentBlocks } from '../../disk/block-pool.ts';
import { DiskMemory } from '../../disk/disk-memory.ts';
import { trialBlocks } from '../../disk/trial.ts';
import { type BlobAnswer, type BlobTransport, blobLimits } from '../../sites/azure/blob-port.ts';
import { crc64 } from '../../sites/azure/crc64.ts';
import { type Flow, flowOfDisk, flowOfMover } from '../../sites/azure/flow.ts';
import { OneContent } from '../../sites/azure/one-content.ts';
import { createRangeReader } from '../../sites/azure/range-reader.ts';
import { TooSlow } from '../../sites/azure/request-deadline.ts';

const kib = 1024;
const mib = 1024 * kib;
const never = new AbortController().signal;
/** A range is a sixty-fourth of what it is, and so is the line's rate: the same times, less to compute. */
const scale = 64;
const rangeBytes = (4 * mib) / scale;
const zeros = Buffer.alloc(rangeBytes);

interface Carried {
  leftBytes: number;
  readonly untilMs: number;
  readonly arrived: () => void;
  readonly late: (error: unknown) => void;
}

/** A line of `bytesPerMs` that all requests on it share evenly; a request that its time runs out on is lost whole. */
class Line {
  readonly limits = { ...blobLimits, repeatMs: 0 };
  nowMs = 0;
  carriedBytes = 0;
  most = 0;
  private readonly bytesPerMs: number;
  private readonly on = new Set<Carried>();

  constructor(bytesPerSecond: number) {
    this.bytesPerMs = bytesPerSecond / scale / 1_000;
  }

  carry(bytes: number): Promise<void> {
    return new Promise((arrived, late) => {
      this.on.add({ leftBytes: bytes, untilMs: this.nowMs + this.limits.requestMs, arrived, late });
      this.most = Math.max(this.most, this.on.size);
    });
  }

  /** Lets time go on, to the next thing that happens to a request, until nobody asks any more. */
  async run(asking: Promise<unknown>): Promise<void> {
    let asked = true;
    const end = (): void => {
      asked = false;
    };
    asking.then(end, end);
    while (asked) {
      // Whoever got something asks for the next, before time goes on.
      for (let turn = 0; turn < 8 && asked; turn++) await new Promise((next) => setImmediate(next));
      this.step();
    }
  }

  private step(): void {
    const share = this.bytesPerMs / this.on.size;
    const ends = [...this.on].map(({ leftBytes, untilMs }) => Math.min(leftBytes / share, untilMs - this.nowMs));
    const forMs = Math.min(...ends);
    if (!Number.isFinite(forMs)) return;
    this.nowMs += forMs;
    for (const one of this.on) {
      one.leftBytes -= forMs * share;
      this.carriedBytes += forMs * share;
      if (one.leftBytes > 0.01 && this.nowMs < one.untilMs) continue;
      this.on.delete(one);
      if (one.leftBytes <= 0.01) one.arrived();
      else one.late(new TooSlow('its time is over'));
    }
  }
}

const crc = crc64(zeros);

/** The blob endpoint behind the line: a mover's one transport. Every disk is empty. */
function endpointBehind(line: Line): BlobTransport {
  const flow = flowOfMover(line.limits, () => line.nowMs);
  return {
    limits: line.limits,
    get: (_url, headers, signal, take, share) =>
      flow.run(
        signal,
        async () => {
          const range = headers['x-ms-range']?.replace('=', ' ');
          const answer: Record<string, string> = { 'content-range': `${range}/${2 ** 40}`, etag: '"1"' };
          answer['x-ms-content-crc64'] = await crc;
          const fill = async (into: Uint8Array): Promise<number> => {
            await line.carry(into.byteLength);
            into.fill(0);
            return into.byteLength;
          };
          const text = (): Promise<string> => Promise.reject(new TypeError('nobody asks for a text'));
          return await take({ status: 206, header: (name) => answer[name], fill, text } satisfies BlobAnswer);
        },
        share,
      ),
    close: async () => undefined,
  };
}

const lease = {
  name: 'a-snapshot',
  sas: async () => ({ url: new URL('https://md-1.blob.storage.azure.net/c/abcd'), serial: 1 }),
  waitsFor: () => undefined,
  renew: async () => undefined,
  close: async () => undefined,
};

/** Reads `ranges` of each of `disks`, as a copy does: eight at once of a disk, in a mover's memory. The first failure is an attempt's end. */
async function readAll(line: Line, disks: number, ranges: number): Promise<Flow[]> {
  const transport = endpointBehind(line);
  const flows = Array.from({ length: disks }, () => flowOfDisk(line.limits, () => line.nowMs));
  const pool = new BlockPool(poolBlocks, urgentBlocks, trialBlocks);
  const copy = async (flow: Flow, disk: number): Promise<void> => {
    const memory = new DiskMemory(pool, `machine-${disk}`, false, Buffer.alloc(0));
    const share = newShare(`machine-${disk}`, false);
    const reader = createRangeReader({ transport, lease, content: new OneContent(), share, flow }, 2 ** 40);
    const next = Array.from({ length: ranges }, (_, at) => at * rangeBytes).values();
    const one = async (): Promise<void> => {
      for (const at of next)
        await memory.toFetch({}, never, async ({ space, filledBy }) => {
          const read = reader.read(at, space.subarray(0, rangeBytes), never);
          filledBy(read);
          await read;
        });
    };
    await Promise.all(Array.from({ length: 8 }, one));
  };
  const asking = Promise.all(flows.map(copy));
  await line.run(asking);
  await asking;
  return flows;
}

test.each([
  ['16 KiB/s', 16 * kib, 1, 3],
  ['100 KiB/s', 100 * kib, 1, 1.2],
  ['1 MiB/s', mib, 1, 1.01],
  ['100 KiB/s that five disks share', 100 * kib, 5, 3.5],
  ['100 KiB/s that forty disks share', 100 * kib, 40, 3.5],
])('L1 a copy over a link of %s goes on within one attempt', async (_name, rate, disks, waste) => {
  const line = new Line(rate);
  const ranges = 40 / Math.min(disks, 10);
  await readAll(line, disks, ranges);
  const wanted = disks * ranges * rangeBytes;
  expect(line.carriedBytes).toBeGreaterThan(wanted * 0.99);
  expect(line.carriedBytes).toBeLessThan(wanted * waste);
});

test('a fast link is not asked less of a disk than eight ranges at once', async () => {
  const line = new Line(60 * mib);
  const [flow] = await readAll(line, 1, 64);
  expect([flow?.atOnce, line.most]).toEqual([8, 8]);
});
