/**
 * Builds what a mover works with: readers of the sources, the finder of its devices, its limits and turns.
 * Rule: only what moves bytes is loaded here; what the control worker needs besides would cost a mover memory (256 MiB).
 */
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MoverLimits } from '../activities/limits.ts';
import { openListRoom } from '../activities/list-room.ts';
import { openTableRoom } from '../activities/table-room.ts';
import type { MoverParts } from '../activities/transfer.ts';
import { type LoadedInventory, resolvePath } from '../config/load.ts';
import { refused } from '../model/failure.ts';
import { limitsPlan } from '../model/shared-limits.ts';
import { readyTransport } from '../sites/azure/blob-transport.ts';
import { createAzureReader } from '../sites/azure/point-source.ts';
import type { SourceReader } from '../sites/source.ts';
import { createDeviceFinder } from '../sites/vsphere/device.ts';
import { azureParts, type Closing, once } from './site-config.ts';
import { version } from './version.ts';

/** What the mover called `name` works with; it may be left out when the inventory has only one. */
export async function openMoverParts(
  loaded: LoadedInventory,
  name: string | undefined,
): Promise<Closing<MoverParts> & { name: string }> {
  const names = Object.keys(loaded.inventory.movers);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  const config = chosen === undefined ? undefined : loaded.inventory.movers[chosen];
  if (chosen === undefined || !config)
    throw refused({
      op: 'start-mover',
      subject: name ?? 'mover',
      message: name === undefined ? 'no mover was named' : `the inventory has no mover called "${name}"`,
      hint: `Name one with --id (known: ${names.join(', ') || 'none'}).`,
    });
  const stateDir = resolvePath(loaded.folder, config.state);
  await ensureFolder(stateDir, chosen);
  for (const site of Object.values(loaded.inventory.sites)) if (site.kind === 'azure') await readyTransport(site);
  const limits = await MoverLimits.open(limitsPlan(loaded.inventory, chosen), stateDir);
  const readers = once<SourceReader>((site) => createAzureReader(azureParts(loaded, site)));
  return {
    name: chosen,
    reader: (site) => readers.of(site),
    finder: createDeviceFinder(config),
    stateDir,
    turns: openTableRoom(),
    lists: openListRoom(),
    limits,
    site: config.site,
    version,
    datastores: config.datastores,
    close: () => readers.close(),
  };
}

/** As `mkdir -p`. Node's own recursive mkdir never ends where the system takes a folder's name and makes none (/proc). */
async function makeFolder(path: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

/** Without its state a mover would copy whole disks again after each start: better it does not start at all. */
async function ensureFolder(path: string, mover: string): Promise<void> {
  try {
    await makeFolder(path);
    // With a dot behind it a file is no folder.
    await access(`${path}/.`, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw refused({
      op: 'start-mover',
      subject: mover,
      message: `the mover's state folder ${path} cannot be used (${(cause as NodeJS.ErrnoException).code})`,
      hint: `Make it writable for this user, or correct movers.${mover}.state in homeward.yaml.`,
      cause,
    });
  }
}
