/**
 * How far the opening of a lab is, in words for whoever waits for it.
 * Rule: it says only what was told to it by the lab; `onPlaced` is the lab's own option.
 */

/** `far` says what is being done; `machines` as the lab was asked for. */
export function opening(machines = 1): { far(): string; onPlaced(count: number): void } {
  let placed = 0;
  return {
    far: () =>
      placed < machines ? `filling the disks of machine ${placed + 1} of ${machines}` : 'starting the servers',
    onPlaced: (count) => {
      placed = count;
    },
  };
}
