/**
 * Where a disk's own record lives: `<stateDir>/<machine>/<disk>/`, one folder a disk.
 * Rule: names from outside become single path components. Never lets a machine's name climb out of the state folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostCall } from './failure.ts';

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
