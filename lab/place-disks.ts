/**
 * Fills the disks a lab starts with, machine by machine: what runs in Azure, and what lies on-prem since before the failover.
 * Rule: a few machines at a time, so that a large lab neither floods the computer nor keeps it busy after it was asked to end.
 */
import { placeAzureImages } from './azure-process.ts';
import type { LabMachine } from './machines.ts';
import { type OnPremMachine, placeStaleDisks } from './vcenter.ts';

const atOnce = 2;

export interface Placing {
  /** Ends it before the next machine. */
  readonly signal?: AbortSignal;
  /** The site they came from is lost: nothing lies on-prem. */
  readonly lostSite?: boolean;
  /** Told after each machine. */
  readonly onPlaced?: (placed: number) => void;
}

const onPremOf = ({ name, tree, loader, disks }: LabMachine): OnPremMachine => ({
  ...{ name, tree, osSizeBytes: disks[0].sizeBytes, dataSizeBytes: disks[1].sizeBytes },
  ...(loader === undefined ? {} : { loader }),
});

/** Throws the signal's reason when it ends early; nothing is being written any more then. */
export async function placeDisks(
  machines: readonly LabMachine[],
  datastore: string,
  { signal, lostSite = false, onPlaced }: Placing = {},
): Promise<OnPremMachine[]> {
  const waiting = machines.values();
  const trouble = new AbortController();
  let placed = 0;
  const lane = async (): Promise<void> => {
    try {
      for (const machine of waiting) {
        signal?.throwIfAborted();
        trouble.signal.throwIfAborted();
        const left = lostSite ? [] : [placeStaleDisks(datastore, [onPremOf(machine)])];
        const sides = [placeAzureImages([machine]), ...left];
        for (const side of await Promise.allSettled(sides)) if (side.status === 'rejected') throw side.reason;
        placed += 1;
        onPlaced?.(placed);
      }
    } catch (error) {
      trouble.abort(error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  trouble.signal.throwIfAborted();
  return lostSite ? [] : machines.map(onPremOf);
}
