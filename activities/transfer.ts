/**
 * The verbs of a mover: bytes from a recovery point to an open disk, and the seal that makes it bootable.
 * Rule: the mover obtains its own grants and finds its own device; workflows see sizes, counts and digests.
 */
import { IoWatch } from '../disk/io-watch.ts';
import {
  forgetDisk,
  scrubDisk as scrub,
  sealDisk as seal,
  tableBytes,
  transferDisk as transfer,
  untilDiskFree,
} from '../disk/target-disk.ts';
import {
  type DiskKey,
  type DiskPoint,
  type OpenDisk,
  pointName,
  type SealProof,
  type TransferProof,
} from '../model/machine.ts';
import { type Around, assertBased } from '../model/point.ts';
import type { TransferProgress } from '../model/progress.ts';
import type { ScrubProof } from '../model/scrub.ts';
import type { DeviceFinder } from '../sites/target.ts';
import { activity, type ReportingWork } from './attempt.ts';
import { type MoverHands, openHands } from './in-hand.ts';
import { createLimitsActivities, type MoverLimits } from './limits.ts';
import { inTurnWithList, type LongList } from './list-room.ts';
import { createMoverWorkerActivities, type MoverWorkerParts } from './mover-worker.ts';
import { weightOf } from './table-room.ts';
import { Turns } from './turns.ts';
import { underLimits } from './under-limits.ts';
import { fromWhereItWas, type GoingOn, whereItWas } from './where-it-was.ts';

export interface MoverParts extends MoverWorkerParts {
  readonly finder: DeviceFinder;
  /** Which disks copy now; the others wait in this process. */
  readonly turns: Turns;
  /** Which disks have a long list of changes in memory (activities/list-room.ts). */
  readonly lists: Turns;
  /** How fast this mover may copy. */
  readonly limits: MoverLimits;
  /** The site the mover stands at. */
  readonly site: string;
}

export interface TransferInput {
  readonly machine: string;
  readonly run: string;
  readonly sourceSite: string;
  readonly disk: OpenDisk;
  readonly point: DiskPoint;
  /** The point the disk is current at; absent for a full transfer. */
  readonly base?: DiskPoint;
  /** Moments around both the point and the base: what changed between them is read from the point (model/point.ts). */
  readonly around?: Around;
  /** Inside a cutover: it waits for no other disk's turn. */
  readonly urgent: boolean;
  /** How many movers had the disk before this one in this run; absent: none. */
  readonly handovers?: number;
  /**
   * How often the target had the disk in use in this run, each time after a seal; absent: never. It was observed off and the
   * disk taken off it since.
   */
  readonly uses?: number;
  /** How often in this run a disk was found to be elsewhere than it was opened, so that all are copied anew; absent: never. */
  readonly anew?: number;
}

export interface SealInput extends TransferInput {
  /** Reads and compares the whole target before it can boot; the outage lasts that much longer. */
  readonly reread: boolean;
}

export interface ScrubInput {
  readonly machine: string;
  readonly run: string;
  readonly disk: OpenDisk;
  /** The last pass the caller knows of; 0 when there is none. */
  readonly after: number;
}

export interface ForgetInput {
  readonly machine: string;
  readonly run: string;
  readonly disks: readonly DiskKey[];
}

/** Disks scrubbed at once on one mover: the storage is there for the rounds. */
const scrubsAtOnce = 1;
/** While any disk copies, a scrub rests three times as long as it reads: a quarter of its pace. */
const restWhileCopying = 3;

export const createMoverActivities = (parts: MoverParts, scrubs = new Turns(scrubsAtOnce), hands = openHands()) => ({
  ...createLimitsActivities(parts.limits),
  ...createMoverWorkerActivities(parts),

  transferDisk: activity(
    'transferDisk',
    async (input: TransferInput, frame): Promise<TransferProof> => {
      const startedAt = performance.now();
      const work = fromWhereItWas(frame);
      work.beat(waiting(input));
      assertBased({ op: 'transferDisk', subject: subjectOf(input) }, input.around, input.base);
      const proof = await inPlace(hands, input, () => transferInTurn(parts, input, work));
      // L3: what waits for its turn each time falls behind as well. A proof that was made before knows better how long it took.
      const durationMs = Math.max(proof.durationMs, Math.round(performance.now() - startedAt));
      return { ...proof, durationMs, ...(hadBegun(work, proof) && { retried: true as const }) };
    },
    whereItWas,
  ),

  /** Writes the withheld regions from the final point and proves them; only then can the disk boot (S4). */
  sealDisk: activity('sealDisk', (input: SealInput, work): Promise<SealProof> => {
    work.beat(waiting(input));
    return inPlace(hands, input, () => inTurn(parts, input, work, () => sealOne(parts, input, work)));
  }),

  /** Reads a whole open disk again in the background (S3); gives way to rounds and goes on between them. */
  scrubDisk: activity(
    'scrubDisk',
    (input: ScrubInput, work): Promise<ScrubProof> =>
      hands.scrubs.hold(subjectOf(input), async () => {
        work.beat(waiting(input, 'scrubbing'));
        const restMs = (tookMs: number): number => (parts.turns.working > 0 ? restWhileCopying * tookMs : 0);
        const options = { ...(await placeOf(parts, input, work)), ...telling(work), after: input.after, restMs };
        const weight = tableBytes(input.disk.sizeBytes);
        for (;;) {
          await untilDiskFree(options);
          await parts.turns.untilSpare(weight, work.signal);
          const run = (signal: AbortSignal) => scrub({ ...options, signal });
          const proof = await scrubs.take(false, work.signal, () => parts.turns.spare(weight, work.signal, run));
          if (proof) return proof;
        }
      }),
  ),

  /** S11: removes what this mover kept of a run's disks; answers the folders that another run uses by now. */
  releaseDiskRecords: activity('releaseDiskRecords', async ({ machine, run, disks }: ForgetInput, { signal }) => {
    const left: string[] = [];
    for (const disk of disks)
      left.push(...(await forgetDisk({ machine, disk, run, signal, stateDir: parts.stateDir })));
    return left;
  }),
});

export type MoverActivities = ReturnType<typeof createMoverActivities>;

const waiting = (
  { disk }: ScrubInput | TransferInput,
  stage: TransferProgress['stage'] = 'waiting',
): TransferProgress => ({
  disk: disk.disk,
  stage,
  doneBytes: 0,
  totalBytes: disk.sizeBytes,
  bytesPerSecond: 0,
  epoch: 0,
});

/** Temporal counts attempts from 1 again after a reset, which may take away what the last one told, too; the journal stays. */
const hadBegun = (work: ReportingWork, proof: TransferProof): boolean =>
  work.attempt > 1 || work.earlier !== undefined || work.again || proof.resumedBytes > 0;

const subjectOf = ({ machine, disk }: ScrubInput | TransferInput): string => `${machine}/${disk.disk}`;

/** Runs `act` when the mover has a place for it. */
const inPlace = <T>(hands: MoverHands, input: TransferInput, act: () => Promise<T>): Promise<T> =>
  hands[input.urgent ? 'urgent' : 'rounds'].hold(subjectOf(input), act);

/** Runs `act` once it has the turn. */
const inTurn = <T>(
  { turns }: MoverParts,
  { urgent, disk }: TransferInput,
  { signal }: ReportingWork,
  act: () => Promise<T>,
): Promise<T> => turns.take(urgent, signal, act, weightOf(disk.sizeBytes));

/** L5: in a turn, which a disk that turns out to have a long list and no room for it gives back. */
const transferInTurn = (parts: MoverParts, input: TransferInput, work: GoingOn): Promise<TransferProof> => {
  const { urgent, disk } = input;
  const waits = (): void => work.beat(waiting(input));
  const wish = { urgent, weight: weightOf(disk.sizeBytes), signal: work.signal, waits };
  return inTurnWithList(parts, wish, (list) => transferOne(parts, input, work, list));
};

async function transferOne(
  parts: MoverParts,
  input: TransferInput,
  work: GoingOn,
  list: LongList,
): Promise<TransferProof> {
  const place = await placeOf(parts, input, work);
  const reader = parts.reader(input.sourceSite);
  const { point, base, around, machine, urgent } = input;
  const afterwards = input.urgent ? { afterwards: 'keep' as const } : {};
  const source = await reader.openPoint(
    {
      point,
      disk: input.disk.disk,
      machine,
      urgent,
      ...(base ? { base } : {}),
      ...(around ? { around } : {}),
      ...afterwards,
    },
    work,
  );
  const { told, ...pacing } = underLimits(parts.limits.lane(input.sourceSite, parts.site, input.urgent), work);
  try {
    const proof = await transfer({
      ...place,
      source,
      point: pointName(point),
      ...(base ? { base: pointName(base) } : {}),
      signal: work.signal,
      beginsAnew: work.beginsAnew,
      ...list,
      ...pacing,
    });
    return { ...proof, ...told() };
  } finally {
    await source.close();
  }
}

async function sealOne(parts: MoverParts, input: SealInput, work: ReportingWork): Promise<SealProof> {
  const place = await placeOf(parts, input, work);
  const { point, machine, urgent } = input;
  const order = { point, disk: input.disk.disk, machine, urgent, afterwards: 'let-go' } as const;
  const openSource = (signal: AbortSignal) => parts.reader(input.sourceSite).openPoint(order, { ...work, signal });
  return await seal({ ...place, openSource, point: pointName(input.point), reread: input.reread, ...telling(work) });
}

/** Only looks, so nothing is lost when a dead mount keeps the call. */
function findDevice({ finder }: MoverParts, { machine, disk }: ScrubInput | TransferInput, work: ReportingWork) {
  const io = new IoWatch(`${machine}/${disk.disk}`);
  return Promise.race([io.run('target.find', () => finder.findDevice(disk, work)), io.gaveUp]);
}

const placeOf = async (parts: MoverParts, input: ScrubInput | TransferInput, work: ReportingWork) => ({
  path: await findDevice(parts, input, work),
  // The mover may wait for a device that was pulled meanwhile, but not longer than the attempt itself lasts.
  locate: (signal: AbortSignal) => findDevice(parts, input, { ...work, signal }),
  sizeBytes: input.disk.sizeBytes,
  disk: input.disk.disk,
  machine: input.machine,
  run: input.run,
  stateDir: parts.stateDir,
  urgent: 'urgent' in input && input.urgent,
  order: work.order,
  note: work.note,
  assure: work.assure,
  handovers: ('handovers' in input && input.handovers) || 0,
  uses: ('uses' in input && input.uses) || 0,
  anew: ('anew' in input && input.anew) || 0,
});

const telling = (work: ReportingWork) => ({ signal: work.signal, report: work.beat });
