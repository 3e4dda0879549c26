/**
 * Opens a lab, unless it is asked to end before, and tells how far it is in words for whoever waits for it.
 * Rule: it says only what was told to it by the lab; `onPlaced` is the lab's own option.
 */
import { withPatience } from '../client/patience.ts';
import { type Lab, type LabOptions, startLab } from './lab.ts';

/** `far` says what is being done; `machines` as the lab was asked for. */
function opening(machines = 1): { far(): string; onPlaced(count: number): void } {
  let placed = 0;
  return {
    far: () =>
      placed < machines ? `filling the disks of machine ${placed + 1} of ${machines}` : 'starting the servers',
    onPlaced: (count) => {
      placed = count;
    },
  };
}

/** How long an opening that was asked to end may take to tidy up by itself; then the process ends, which takes all along. */
const patienceMs = 5_000;

/** The open lab; undefined when it was asked to end before. */
export async function openUnless(ending: AbortSignal, options: LabOptions, quiet: boolean): Promise<Lab | undefined> {
  const { far, onPlaced } = opening(options.machines);
  const lab = startLab({ ...options, signal: ending, onPlaced });
  const late = new Promise<undefined>((resolve) => {
    ending.addEventListener('abort', () => setTimeout(() => resolve(undefined), patienceMs).unref(), { once: true });
  });
  try {
    return await withPatience(far, Promise.race([lab, late]), quiet);
  } catch (error) {
    if (ending.aborted) return undefined;
    throw error;
  }
}
