/**
 * One writer of a lab guest, whose work comes in whole pieces: between two of them it can be held still.
 * Rule: while it is held nothing of it is under way, so that whoever looks sees only finished pieces.
 */
import { setTimeout as pause } from 'node:timers/promises';

export class TurnsOfWriting {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `piece` behind all that came before; pieces and holds never overlap. */
  run<T>(piece: () => Promise<T>): Promise<T> {
    const next = this.last.then(piece, piece);
    // How one piece ended does not matter to the next; whoever asked for it is told.
    this.last = next.catch(() => undefined);
    return next;
  }
}

/** Waits between two pieces; whoever stops the writer need not wait for the rest of it. */
export async function pauseUnless(stopping: AbortSignal, ms: number): Promise<void> {
  await pause(ms, undefined, { signal: stopping }).catch(() => undefined);
}
