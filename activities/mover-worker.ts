/**
 * What a mover's worker says when it is asked before anything moves: its version, its clock, what it reaches and mounts.
 * Rule: it tells what it saw and judges nothing (model/mover-seen.ts); a place it cannot reach is an answer, not an error.
 * Changes nothing.
 */
import { constants } from 'node:fs';
import { access, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../disk/failure.ts';
import { openDirect } from '../disk/open-direct.ts';
import { heldBytes } from '../disk/state-folder.ts';
import type { StateRoomSeen } from '../model/mover-room.ts';
import type { MountSeen, MoverSeen } from '../model/mover-seen.ts';
import type { SourceReader } from '../sites/source.ts';
import { activity } from './attempt.ts';

export interface MoverWorkerParts {
  reader(site: string): SourceReader;
  readonly version: string;
  /** Datastores that are to be found mounted: name to folder. */
  readonly datastores: Readonly<Record<string, string>>;
  /** Folder of journals and digests on the mover. */
  readonly stateDir: string;
}

export interface MoverWorkerInput {
  /** The site it would read from. */
  readonly sourceSite: string;
  /** Whose records are counted; absent when an older control worker asks. */
  readonly machine?: string;
}

export const createMoverWorkerActivities = (parts: MoverWorkerParts) => ({
  observeMoverWorker: activity(
    'observeMoverWorker',
    async ({ sourceSite, machine }: MoverWorkerInput, work): Promise<MoverSeen> => {
      const endpoints = await parts.reader(sourceSite).observeReach(work);
      const mounts = await Promise.all(Object.entries(parts.datastores).map(observeMount));
      const state = await observeState(parts.stateDir, machine);
      const now = new Date().toISOString();
      return { version: parts.version, platform: process.platform, now, endpoints, mounts, state };
    },
  ),
});

/** What is free in the state folder, and what the machine's records take of it already. */
export async function observeState(folder: string, machine: string | undefined): Promise<StateRoomSeen> {
  try {
    const { bavail, bsize } = await statfs(folder);
    const held = machine === undefined ? 0 : await heldBytes(folder, machine);
    return { folder, freeBytes: bavail * bsize, heldBytes: held };
  } catch (error) {
    return { folder, freeBytes: 0, heldBytes: 0, problem: errorCode(error) || 'it cannot be looked at' };
  }
}

/** Whether a datastore's folder can be used, as this process may use it. */
export async function observeMount([datastore, folder]: [string, string]): Promise<MountSeen> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return { datastore, folder, ...((await refusesDirect(folder)) && { cached: true as const }) };
  } catch (error) {
    return { datastore, folder, problem: (error as NodeJS.ErrnoException).code ?? 'it cannot be looked at' };
  }
}

/** So many folders of machines are looked into for a file to ask with. */
const foldersAsked = 20;

/** S3: whether its file system refuses O_DIRECT. Only a file can be asked; without one that can be opened nothing is known. */
async function refusesDirect(folder: string): Promise<boolean> {
  const machines = (await readdir(folder, { withFileTypes: true })).filter((one) => one.isDirectory());
  for (const { name } of machines.slice(0, foldersAsked)) {
    const inside = await readdir(join(folder, name), { withFileTypes: true }).catch(() => []);
    const file = inside.find((one) => one.isFile());
    if (!file) continue;
    try {
      const handle = await openDirect(join(folder, name, file.name), constants.O_RDONLY);
      await handle?.close();
      return handle === undefined;
    } catch {
      // Another's lock or right; the next machine's file says as much.
    }
  }
  return false;
}
