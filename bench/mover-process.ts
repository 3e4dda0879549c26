/**
 * A mover in a process of its own, so that its time, CPU and memory are nobody else's: the parts, limits and verbs that
 * workers/mover.ts serves, called one after the other instead of by Temporal.
 * Rule: the verbs are the product's, untouched; only the activity context around them is made here.
 * Run: node bench/mover-process.ts <homeward.yaml>; one line of JSON when it is ready, then one for each step it is given
 * as a line of JSON; ends when its standard input does.
 */
import { createInterface } from 'node:readline';
import { asyncLocalStorage, Context, type Info } from '@temporalio/activity';
import { CancelledFailure, noopMetricMeter } from '@temporalio/common';
// The worker's library is loaded as in a mover, because it is a part of a mover's memory.
import { DefaultLogger } from '@temporalio/worker';
import { createMoverActivities, type TransferInput } from '../activities/transfer.ts';
import { loadInventory } from '../config/load.ts';
import { openMoverParts } from '../workers/mover-parts.ts';
import { bareCopy } from './bare-copy.ts';
import type { Ready, Step, StepAnswer } from './mover-run.ts';

// As every program of a bundle is tried out (setup/process-options.mjs).
if (process.argv[2] === '--help') process.exit(0);
const parts = await openMoverParts(await loadInventory(process.argv[2] ?? ''), undefined);
const verbs = createMoverActivities(parts);
const never = new AbortController().signal;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** What a worker puts around an activity: its first attempt, never cancelled, heartbeats to nobody. */
function asActivity<T>(act: () => Promise<T>): Promise<T> {
  const info = {
    attempt: 1,
    taskQueue: 'bench',
    activityType: 'bench',
    heartbeatDetails: undefined,
  } as unknown as Info;
  const cancelled = new Promise<never>((_, reject) => {
    never.addEventListener('abort', () => reject(new CancelledFailure('the bench ends')));
  });
  const log = new DefaultLogger('WARN');
  const context = new Context(info, cancelled, never, () => undefined, undefined, log, noopMetricMeter, {});
  return asyncLocalStorage.run(context, act);
}

async function bare(input: TransferInput): Promise<number> {
  const work = { signal: never, report: () => undefined, mayChange: () => undefined };
  const path = await parts.finder.findDevice(input.disk, work);
  const source = await parts.reader(input.sourceSite).openPoint({ point: input.point, disk: input.disk.disk }, work);
  try {
    return await bareCopy(source, path, never);
  } finally {
    await source.close();
  }
}

const acts: Readonly<Record<Step['verb'], (input: TransferInput) => Promise<number>>> = {
  transfer: async (input) => (await asActivity(() => verbs.transferDisk(input))).copiedBytes,
  seal: async (input) => (await asActivity(() => verbs.sealDisk({ ...input, reread: false }))).provenBytes,
  bare,
};

async function take({ verb, inputs }: Step): Promise<StepAnswer> {
  const [startedAt, startedCpu] = [performance.now(), cpuSeconds()];
  const bytes = await Promise.all(inputs.map(acts[verb]));
  return {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSeconds() - startedCpu,
    bytes: bytes.reduce((sum, each) => sum + each, 0),
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

const ready: Ready = {
  startSeconds: performance.now() / 1000,
  startCpuSeconds: cpuSeconds(),
  startMiB: process.memoryUsage().rss / 1024 ** 2,
};
say(ready);
for await (const line of createInterface({ input: process.stdin })) say(await take(JSON.parse(line) as Step));
await parts.close();
