/**
 * A soak in pieces, added up in the story, so that one of 30 days comes to its end whatever becomes of an attempt. Pure.
 * Rule (L1, L4): a piece ends well before the clock of its attempt, the next one begins only after one that held, and they
 * are so long that a history does not grow with the time a person takes: six events each, four of them a day.
 */
import type { Policy } from '../model/inventory.ts';

/** `held`: all probes passed each time. `interrupted`: the run is held, or stands elsewhere, so the time begins anew. */
export type Looked = 'held' | 'failed' | 'interrupted';

export interface Piece {
  readonly seconds: number;
  /** Of the whole, this piece included. */
  readonly leftSeconds: number;
}

export const pieceSeconds = 6 * 3_600;

/** Without an end (Infinity) it goes on for as long as they hold. */
export async function inPieces(allSeconds: number, look: (piece: Piece) => Promise<Looked>): Promise<Looked> {
  for (let leftSeconds = allSeconds; ; leftSeconds -= pieceSeconds) {
    const seconds = Math.min(leftSeconds, pieceSeconds);
    const looked = await look({ seconds, leftSeconds });
    if (looked !== 'held' || seconds === leftSeconds) return looked;
  }
}

/** Whether anything follows the probes. Where there is none to look at, nothing holds, and a person decides (L4). */
export const soaks = ({ commit, probes }: Pick<Policy, 'commit' | 'probes'>): boolean =>
  probes.length > 0 && (commit.approved !== undefined || commit.rollback !== undefined);
