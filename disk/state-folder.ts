/**
 * Where a disk's own record lives: `<stateDir>/<machine>/<disk>/`, one folder a disk.
 * Rule: names from outside become single path components. Never lets a machine's name climb out of the state folder.
 */
import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, hostCall } from './failure.ts';

export interface StateFolder {
  readonly path: string;
  readonly journal: string;
  readonly checkpoint: string;
  readonly lock: string;
  /** Digests of all leaves, which only save reading. */
  readonly leaves: string;
  /** How far the background scrub is. */
  readonly scrub: string;
}

const component = (name: string): string => encodeURIComponent(name).replace(/^\./, '%2E') || '%00';

export function stateFolder(stateDir: string, machine: string, disk: string): StateFolder {
  const path = join(stateDir, component(machine), component(disk));
  return {
    path,
    journal: join(path, 'journal'),
    checkpoint: join(path, 'checkpoint'),
    lock: join(path, 'lock'),
    leaves: join(path, 'leaves'),
    scrub: join(path, 'scrub'),
  };
}

export async function ensureStateFolder(folder: StateFolder, subject: string): Promise<void> {
  await hostCall('state.folder', subject, () => mkdir(folder.path, { recursive: true, mode: 0o700 }));
}

/** What the records of a machine's disks take in the state folder; a file that goes meanwhile takes nothing. */
export async function heldBytes(stateDir: string, machine: string): Promise<number> {
  const gone =
    <T>(instead: T) =>
    (error: unknown): T => {
      if (errorCode(error) === 'ENOENT') return instead;
      throw error;
    };
  const names = await readdir(join(stateDir, component(machine)), { recursive: true }).catch(gone<string[]>([]));
  const sizes = names.map(async (name) => {
    const seen = await lstat(join(stateDir, component(machine), name)).catch(gone(undefined));
    return (seen?.blocks ?? 0) * 512;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
