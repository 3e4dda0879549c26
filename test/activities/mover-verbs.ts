/**
 * A mover's own verbs on a disk of a test's. Rule: Temporal and the source, which lie behind the network, are the test's own;
 * the engine, the record and the disk are real.
 */
import { ActivityNotFoundError } from '@temporalio/client';
import { MoverLimits } from '../../activities/limits.ts';
import { openListRoom } from '../../activities/list-room.ts';
import { openTableRoom } from '../../activities/table-room.ts';
import { createMoverActivities } from '../../activities/transfer.ts';
import type { Turns } from '../../activities/turns.ts';
import type { Extent } from '../../disk/point-reader.ts';
import type { OpenRequest, SourceReader, Work } from '../../sites/source.ts';
import { ImagePoint, mib, patternImage, type Workbench } from '../disk/workbench.ts';

const size = 24 * mib;
/** What the source holds, and what the target held before. */
export const image = patternImage(1, size);
export const stale = patternImage(9, size);

/** Lets so many heartbeats through, then says that it knows no such attempt. */
export function givingUpAfter(beats: number) {
  let heard = 0;
  return {
    heartbeat: (): Promise<void> =>
      ++heard > beats ? Promise.reject(new ActivityNotFoundError('Not found')) : Promise.resolve(),
  };
}

interface Wishes {
  readonly urgent?: boolean;
  /** Awaited while the source is being opened. */
  opening?(): Promise<unknown>;
  beforeRead?(offset: number): Promise<void>;
  /** Where the target is; the bench's own path unless told otherwise. */
  find?(signal: AbortSignal): Promise<string>;
  /** What the source names; all of the disk unless told otherwise. */
  readonly extents?: readonly Extent[];
  readonly turns?: Turns;
}

export async function verbsOn({ stateDir, path }: Bench, wishes: Wishes = {}) {
  const { urgent = false, opening, beforeRead, find = async () => path, extents, turns = openTableRoom() } = wishes;
  const limits = await MoverLimits.open({ mover: 'm1', cutover: 'limited', scopes: [] }, stateDir);
  const opened: OpenRequest[] = [];
  const openPoint = async (order: OpenRequest, work: Work) => {
    opened.push(order);
    work.report('opening p1');
    await opening?.();
    return new ImagePoint(image, extents, beforeRead);
  };
  const reader = { openPoint } as Partial<SourceReader> as SourceReader;
  const finder = { site: 'home', findDevice: (_: unknown, { signal }: Work) => find(signal) };
  const lists = openListRoom();
  const parts = { limits, finder, stateDir, turns, lists, site: 'home', version: '', datastores: {} };
  const verbs = createMoverActivities({ ...parts, reader: () => reader });
  const point = { disk: 'os', id: 'p1', identity: 'i', sizeBytes: size } as const;
  const disk = { disk: 'os', slot: 'scsi0:0', file: 'os.vmdk', sizeBytes: size, uuid: 'u' } as const;
  const input = { machine: 'erp', run: 'run-1', sourceSite: 'west', disk, point, urgent };
  const seal = () => verbs.sealDisk({ ...input, reread: false });
  const scrub = () => verbs.scrubDisk({ machine: 'erp', run: 'run-1', disk, after: 0 });
  return { turns, lists, opened, seal, scrub, transfer: () => verbs.transferDisk(input) };
}
type Bench = Pick<Workbench, 'stateDir' | 'path'>;
