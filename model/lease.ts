/**
 * How long an attempt may write on the word of one heartbeat, and how long whoever takes its disks away waits for it.
 * Rule (S8): the leave to write ends before anybody else may begin: Temporal gives an attempt up after the heartbeat
 * time-out, and a mover that is left is waited for `partingMs` at the longest, whatever the time-out.
 */

/** A mover that is to be left is waited for so long at the longest, in milliseconds. */
export const partingMs = 60_000;

/** The rest is for what was begun within the leave: one write, and the way of a cancel to Temporal. */
const share = 0.5;

/** How long after an acknowledged heartbeat was sent its attempt may begin a write, in milliseconds. */
export const leaseMs = (heartbeatTimeoutMs: number): number => share * Math.min(heartbeatTimeoutMs, partingMs);
