/**
 * Azure as a source: joins this folder's verbs into the port the activities use.
 * Rule: no logic here; each verb has its own file.
 */
import type { SourceSite } from '../source.ts';
import { ensureApplicationPoint } from './application-point.ts';
import { type AzureSiteParts, azureAccess } from './client.ts';
import { observeMachine } from './machine.ts';
import { observeShape } from './machine-shape.ts';
import { createNetworkClients } from './network-client.ts';
import { ensureStarted, ensureStopped } from './power.ts';
import { preflight } from './preflight.ts';
import { observePoints } from './recorded-point.ts';
import { ensureRecoveryPoint, releaseRecoveryPoints } from './recovery-point.ts';
import { ensureRetired, observeRemains } from './retire.ts';
import { ensureScriptRun, observeAgent, observeScriptRun, releaseScripts } from './run-command.ts';
import { observeWhereabouts } from './whereabouts.ts';

export function createAzureSource(parts: AzureSiteParts): SourceSite & { close(): Promise<void> } {
  const azure = createNetworkClients(azureAccess(parts));
  return {
    site: parts.site,
    observeMachine: (path, work) => observeMachine(azure, path, work),
    observeWhereabouts: (request, work) => observeWhereabouts(azure, request, work),
    observeShape: (path, work) => observeShape(azure, path, work),
    preflight: (request, work) => preflight(azure, request, work),
    ensureStopped: (request, work) => ensureStopped(azure, request, work),
    ensureStarted: (request, work) => ensureStarted(azure, request, work),
    ensureRecoveryPoint: (request, work) => ensureRecoveryPoint(azure, request, work),
    ensureApplicationPoint: (request, work) => ensureApplicationPoint(azure, request, work),
    observePoints: (points, work) => observePoints(azure, points, work),
    releaseRecoveryPoints: (request, work) => releaseRecoveryPoints(azure, request, work),
    ensureRetired: (request, work) => ensureRetired(azure, request, work),
    observeRemains: (request, work) => observeRemains(azure, request, work),
    observeAgent: ({ path }, work) => observeAgent(azure, path, work),
    ensureScriptRun: (request, work) => ensureScriptRun(azure, request, work),
    observeScriptRun: (request, work) => observeScriptRun(azure, request, work),
    releaseScripts: (request, work) => releaseScripts(azure, request, work),
    // The SDK's connections are kept alive but do not keep the process alive: there is nothing to give back.
    close: async () => undefined,
  };
}
