/**
 * Looks at a target disk and at our record of it, and says what both together mean. Takes no lock, writes nothing.
 * Rule: `sealed` and `open` are said only when disk and record agree; everything else is `unknown`, with the reason.
 * Never takes the absence of a marker for a seal.
 */
import { open } from 'node:fs/promises';
import type { SealProof } from '../model/machine.ts';
import { hostCall } from './failure.ts';
import { sectorBytes } from './geometry.ts';
import type { TargetDiskOptions } from './held-disk.ts';
import { closeView, viewLedger } from './ledger.ts';
import { distrust, sealedYetOpen } from './lineage.ts';
import { decodeMarker, type OpenMarker } from './open-marker.ts';
import { stateFolder } from './state-folder.ts';

export type ObserveOptions = Pick<TargetDiskOptions, 'path' | 'sizeBytes' | 'disk' | 'machine' | 'stateDir'>;

export interface DiskObservation {
  readonly state: 'open' | 'sealed' | 'unknown';
  /** One sentence, for people. */
  readonly because: string;
  /** As found in sector 0, whoever wrote it. */
  readonly marker?: OpenMarker;
  readonly run?: string;
  readonly epoch?: number;
  /** The point the disk is current at. */
  readonly point?: string;
  /** A round that was begun and has not ended. */
  readonly round?: { readonly point: string; readonly base: string | null };
  /** False: proofs, or some of them, were read through the page cache. */
  readonly direct?: boolean;
  readonly sealProof?: SealProof;
}

async function readMarker(path: string, subject: string): Promise<OpenMarker | undefined> {
  return hostCall('observe', subject, async () => {
    const handle = await open(path, 'r');
    try {
      const sector = Buffer.alloc(sectorBytes);
      await handle.read(sector, 0, sectorBytes, 0);
      return decodeMarker(sector);
    } finally {
      await handle.close();
    }
  });
}

/** What the disk and the record say. Throws `Refused` when either cannot be read. */
export async function observeDisk(options: ObserveOptions): Promise<DiskObservation> {
  const subject = `${options.machine}/${options.disk}`;
  const marker = await readMarker(options.path, subject);
  const found = marker === undefined ? {} : { marker };
  const view = await viewLedger(stateFolder(options.stateDir, options.machine, options.disk), subject);
  await closeView(view);
  if (!view.known) return { state: 'unknown', because: view.because, ...found };
  const { state } = view;
  const { run, epoch, direct } = state;
  const facts = {
    ...found,
    run,
    epoch,
    direct,
    ...(state.point === null ? {} : { point: state.point }),
    ...(state.round === null ? {} : { round: { point: state.round.point, base: state.round.base } }),
  };
  if (state.phase === 'sealed' && state.sealProof !== null) {
    if (marker !== undefined) return { state: 'unknown', because: sealedYetOpen, ...facts };
    return { state: 'sealed', because: `sealed at ${state.point}`, ...facts, sealProof: state.sealProof };
  }
  const doubt = distrust(state, marker, { run, sizeBytes: options.sizeBytes });
  if (doubt !== undefined) return { state: 'unknown', because: doubt, ...facts };
  return { state: 'open', because: `held open by attempt ${epoch} of run ${run}`, ...facts };
}

/** The proof of a sealed disk, or undefined while it is anything else. */
export async function observeSeal(options: ObserveOptions): Promise<SealProof | undefined> {
  const observation = await observeDisk(options);
  return observation.state === 'sealed' ? observation.sealProof : undefined;
}
