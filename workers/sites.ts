/**
 * Builds the clients of the sites an inventory names, when they are first needed; the only file that knows which world
 * stands behind which port.
 * Rule: secrets are resolved here, at the moment of use, and go into the clients and nowhere else (S13).
 */
import { readFileSync } from 'node:fs';
import { MoverLimits } from '../activities/limits.ts';
import type { Sites } from '../activities/preflight.ts';
import type { MoverParts } from '../activities/transfer.ts';
import { Turns } from '../activities/turns.ts';
import { type LoadedInventory, resolvePath } from '../config/load.ts';
import { resolveSecret } from '../config/secret.ts';
import { refused } from '../model/failure.ts';
import type { SecretReference, Site } from '../model/inventory.ts';
import { limitsPlan } from '../model/shared-limits.ts';
import { createAzureReader } from '../sites/azure/point-source.ts';
import { createAzureSource } from '../sites/azure/source-site.ts';
import type { SourceReader, SourceSite } from '../sites/source.ts';
import type { TargetSite } from '../sites/target.ts';
import { createDeviceFinder } from '../sites/vsphere/device.ts';
import { createVsphereTarget } from '../sites/vsphere/target-site.ts';

/**
 * Memory for the block tables of the disks that copy at once: 80 disks of 64 GiB, or 7 of 1 TiB. The blocks are shared by
 * all (disk/block-pool.ts), so that a mover stays within 256 MiB.
 */
const tableRoomBytes = 64 * 1024 * 1024;

type Closing<T> = T & { close(): Promise<void> };

/** One client a site, made once. */
function once<T>(make: (site: string) => Closing<T>): { of(site: string): Closing<T>; close(): Promise<void> } {
  const made = new Map<string, Closing<T>>();
  return {
    of(site) {
      const known = made.get(site) ?? make(site);
      made.set(site, known);
      return known;
    },
    async close() {
      await Promise.allSettled([...made.values()].map((one) => one.close()));
    },
  };
}

export function openSites(loaded: LoadedInventory): Closing<Sites> {
  const sources = once<SourceSite>((site) => createAzureSource(azureParts(loaded, site)));
  const targets = once<TargetSite>((site) => {
    const config = siteOf(loaded, site, 'vsphere');
    return createVsphereTarget({
      site,
      config,
      password: () => resolveSecret(config.password, loaded.folder),
      ...certificate(loaded, config),
    });
  });
  return {
    source: (site) => sources.of(site),
    target: (site) => targets.of(site),
    mover(name) {
      const known = Object.hasOwn(loaded.inventory.movers, name) ? loaded.inventory.movers[name] : undefined;
      return known && { name, path: known.vm, site: known.site };
    },
    async close() {
      await Promise.all([sources.close(), targets.close()]);
    },
  };
}

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
  const limits = await MoverLimits.open(limitsPlan(loaded.inventory, chosen), stateDir);
  const readers = once<SourceReader>((site) => createAzureReader(azureParts(loaded, site)));
  return {
    name: chosen,
    reader: (site) => readers.of(site),
    finder: createDeviceFinder(config),
    stateDir,
    turns: new Turns(tableRoomBytes),
    limits,
    site: config.site,
    close: () => readers.close(),
  };
}

function azureParts(loaded: LoadedInventory, site: string) {
  const config = siteOf(loaded, site, 'azure');
  const secretOf = (reference: SecretReference): string => resolveSecret(reference, loaded.folder);
  return { site, config, secretOf, ...certificate(loaded, config) };
}

const certificate = (loaded: LoadedInventory, config: { readonly caFile?: string | undefined }): { ca?: string } =>
  config.caFile === undefined ? {} : { ca: readFileSync(resolvePath(loaded.folder, config.caFile), 'utf8') };

function siteOf<K extends Site['kind']>(loaded: LoadedInventory, name: string, kind: K): Extract<Site, { kind: K }> {
  const config = loaded.inventory.sites[name];
  if (config?.kind === kind) return config as Extract<Site, { kind: K }>;
  throw refused({
    op: 'open-site',
    subject: name,
    message: config
      ? `site "${name}" is ${config.kind}, not ${kind}`
      : `this worker's inventory has no site called "${name}"`,
    hint: 'Give all workers the same homeward.yaml as the CLI that started the run, then resolve with retry.',
  });
}
