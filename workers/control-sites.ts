/**
 * Builds the clients of the sites an inventory names, when they are first needed, for the control worker.
 * Rule: the only file that knows which world stands behind which port; above it nobody asks.
 */
import type { Sites } from '../activities/preflight.ts';
import type { LoadedInventory } from '../config/load.ts';
import { resolveSecret } from '../config/secret.ts';
import { Failure, lacksGuestLogin, transient } from '../model/failure.ts';
import type { SecretReference } from '../model/inventory.ts';
import { createAzureSource } from '../sites/azure/source-site.ts';
import type { SourceSite } from '../sites/source.ts';
import type { TargetSite } from '../sites/target.ts';
import { createVsphereTarget } from '../sites/vsphere/target-site.ts';
import { azureParts, type Closing, certificate, once, siteOf } from './site-config.ts';
import { version } from './version.ts';

export function openSites(loaded: LoadedInventory): Closing<Sites> {
  const sources = once<SourceSite>((site) => createAzureSource(azureParts(loaded, site)));
  const targets = once<TargetSite>((site) => {
    const config = siteOf(loaded, site, 'vsphere');
    return createVsphereTarget({
      site,
      config,
      password: () => resolveSecret(config.password, loaded.folder),
      guestLogin(machine) {
        const guest = loaded.inventory.machines[machine]?.guest;
        return guest && { user: guest.user, password: guestPassword(machine, guest.password, loaded.folder) };
      },
      ...certificate(loaded, config),
    });
  });
  return {
    version,
    source: (site) => sources.of(site),
    target: (site) => targets.of(site),
    mover(name) {
      const known = Object.hasOwn(loaded.inventory.movers, name) ? loaded.inventory.movers[name] : undefined;
      return known && { name, path: known.vm, site: known.site };
    },
    machine(name) {
      const { machines, movers } = loaded.inventory;
      const known = Object.hasOwn(machines, name) ? machines[name] : undefined;
      return known && { source: known.source, target: known.target, movers: Object.keys(movers) };
    },
    async close() {
      await Promise.all([sources.close(), targets.close()]);
    },
  };
}

/** Of so many tries as make a row (activities/vain.ts) the last asks a person; five minutes are long enough for another worker. */
const askAgainMs = 5_000;

/** L5: a worker that lacks it takes the step as any other does, so whoever has it must get its turn before a person is called. */
function guestPassword(machine: string, reference: SecretReference, folder: string): string {
  try {
    return resolveSecret(reference, folder);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw transient({
      op: lacksGuestLogin,
      subject: `${machine}: ${error.subject}`,
      message: `this control worker has no login to the guest of ${machine}: ${error.message}`,
      hint: `Another control worker that has it takes the step. If none has: ${error.hint}`,
      retryAfterMs: askAgainMs,
      cause: error,
    });
  }
}
