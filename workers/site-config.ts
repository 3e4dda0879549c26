/**
 * What an inventory says of the sites, as the makers of their clients want it: for the control worker and the mover alike.
 * Rule: secrets are resolved at the moment of use, and go into the clients and nowhere else (S13).
 */
import { readFileSync } from 'node:fs';
import { type LoadedInventory, resolvePath } from '../config/load.ts';
import { resolveSecret } from '../config/secret.ts';
import { refused } from '../model/failure.ts';
import type { SecretReference, Site } from '../model/inventory.ts';

export type Closing<T> = T & { close(): Promise<void> };

/** One client a site, made once. */
export function once<T>(make: (site: string) => Closing<T>): { of(site: string): Closing<T>; close(): Promise<void> } {
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

export function azureParts(loaded: LoadedInventory, site: string) {
  const config = siteOf(loaded, site, 'azure');
  const secretOf = (reference: SecretReference): string => resolveSecret(reference, loaded.folder);
  return { site, config, secretOf, ...certificate(loaded, config) };
}

export function certificate(
  loaded: LoadedInventory,
  { caFile }: { readonly caFile?: string | undefined },
): { ca?: string } {
  if (caFile === undefined) return {};
  const path = resolvePath(loaded.folder, caFile);
  try {
    return { ca: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw refused({
      op: 'open-site',
      subject: path,
      message: `the certificate file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      hint: 'Put it on this worker’s computer, or correct caFile in homeward.yaml; then resolve with retry.',
      cause,
    });
  }
}

export function siteOf<K extends Site['kind']>(
  loaded: LoadedInventory,
  name: string,
  kind: K,
): Extract<Site, { kind: K }> {
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
