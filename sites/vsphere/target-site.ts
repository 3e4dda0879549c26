/**
 * vSphere as a target: joins session, inventory, disks and power behind the port of sites/target.ts.
 * Rule: it only joins; every decision lives in the file named after it. Close it when the worker ends: it signs out.
 */

import { refused } from '../../model/failure.ts';
import type { VsphereSiteConfig } from '../../model/inventory.ts';
import type { Work } from '../source.ts';
import type { TargetSite } from '../target.ts';
import { ensureDisksAbandoned } from './abandon-disks.ts';
import { ensureScriptRun, type GuestLogin, observeAgent, releaseScripts, runLook } from './guest-scripts.ts';
import { absentTarget, asTarget, findAnywhere, type Vcenter } from './inventory.ts';
import { findCreated } from './new-machine.ts';
import { ensureDisksOpen } from './open-disks.ts';
import { observeOpened } from './opened-checks.ts';
import { ensureStarted, ensureStopped } from './power.ts';
import { preflight } from './preflight.ts';
import { preflightMover, preflightNewPlace } from './preflight-new-place.ts';
import { ensureProofEnded, ensureProofStarted } from './proving.ts';
import { ensureDisksReopened, observeReopening } from './reopen-disks.ts';
import {
  ensureDisksReleased,
  ensureDisksReturned,
  ensureFinished,
  ensureMoverLeft,
  ensureSealedRecorded,
} from './return-disks.ts';
import { observeReturned } from './returned-look.ts';
import { needReturned } from './run-machine.ts';
import { createSession } from './session.ts';
import { createTransport, type Transport } from './transport.ts';
import { observeWrites } from './write-counter.ts';

export interface VsphereTargetParts {
  /** The site's name in the inventory. */
  readonly site: string;
  readonly config: Pick<VsphereSiteConfig, 'url' | 'user' | 'datacenter' | 'thumbprint' | 'isolatedNetwork'>;
  /** Read at each sign-in, so that a corrected password counts at the next try. */
  readonly password: () => string | Promise<string>;
  /** PEM of the authority named by `caFile`. */
  readonly ca?: string;
  /** The login of a machine's guest, by the inventory's name of the machine; absent where nobody runs scripts. */
  readonly guestLogin?: (machine: string) => GuestLogin | undefined;
  /** How long a guest may take to shut down before the machine is switched off. */
  readonly guestStopMs?: number;
  readonly callTimeoutMs?: number;
  /** Instead of our own HTTPS: for a worker that measures or records its calls. */
  readonly transport?: Transport;
}

export type VsphereTarget = TargetSite & { close(): Promise<void> };

export function createVsphereTarget(parts: VsphereTargetParts): VsphereTarget {
  const { config, site, password } = parts;
  const transport = parts.transport ?? createTransport({ ca: parts.ca, thumbprint: config.thumbprint });
  const session = createSession({
    url: config.url,
    user: config.user,
    password,
    transport,
    ...(parts.callTimeoutMs !== undefined && { callTimeoutMs: parts.callTimeoutMs }),
  });
  const at: Vcenter = { session, site, datacenter: config.datacenter, isolatedNetwork: config.isolatedNetwork };
  const guest = { at, login: parts.guestLogin ?? (() => undefined), fetch: guestFiles(transport, config.url) };
  const guestStopMs = parts.guestStopMs ?? 120_000;
  return {
    site,
    capabilities: { write: ['in-place', 'staged', 'created'], platform: 'vmware' },
    async observeMachine(path, work, run, made = false) {
      const ours = made && run !== undefined;
      const machine = ours ? await findCreated(at, { path, run }, work) : await findAnywhere(at, path, work, run);
      return machine ? asTarget(at, machine) : absentTarget(at, path);
    },
    observeReturnedPower: async (request, work) => asTarget(at, await needReturned(at, request, work)),
    preflight: (request, work) => preflight(at, request, work),
    preflightNewPlace: (request, work) => preflightNewPlace(at, request, work),
    preflightMover: (request, work) => preflightMover(at, request, work),
    observeOpened: (request, work) => observeOpened(at, request, work),
    ensureDisksOpen: (request, work) => ensureDisksOpen(at, request, work),
    ensureSealedRecorded: (request, work) => ensureSealedRecorded(at, request, work),
    ensureDisksReleased: (request, work) => ensureDisksReleased(at, request, work),
    observeReopening: (request, work) => observeReopening(at, request, work),
    ensureDisksReopened: (request, work) => ensureDisksReopened(at, request, work),
    ensureMoverLeft: (request, work) => ensureMoverLeft(at, request, work),
    ensureDisksReturned: (request, work) => ensureDisksReturned(at, request, work),
    observeReturned: (request, work) => observeReturned(at, request, work),
    ensureDisksAbandoned: (request, work) => ensureDisksAbandoned(at, request, work),
    ensureStarted: (request, work) => ensureStarted(at, request, work),
    ensureStopped: (request, work) => ensureStopped(at, request, guestStopMs, work),
    ensureFinished: (request, work) => ensureFinished(at, request, work),
    ensureProofStarted: (request, work) => ensureProofStarted(at, request, config.isolatedNetwork, work),
    ensureProofEnded: (request, work) => ensureProofEnded(at, request, work),
    observeWrites: (request, work) => observeWrites(at, request, work),
    observeAgent: (request, work) => observeAgent(guest, request, work),
    ensureScriptRun: (request, work) => ensureScriptRun(guest, request, work),
    runLook: (request, work) => runLook(guest, request, work),
    releaseScripts: (request, work) => releaseScripts(guest, request, work),
    close: () => session.close(),
  };
}

/** vCenter names the host that has the file, or `*` for itself; either is trusted as the site says, or not at all. */
function guestFiles(transport: Transport, vcenter: string) {
  return async (url: string, work: Work): Promise<string> => {
    const op = 'fetch a file of the guest';
    const place = url.replace('://*', `://${new URL(vcenter).host}`);
    const { signal } = work;
    const answer = await transport.exchange({ method: 'GET', url: place, op, headers: {}, timeoutMs: 30_000, signal });
    if (answer.status === 200) return answer.body;
    throw refused({
      op,
      subject: new URL(place).host,
      message: `the host answers ${answer.status}`,
      hint: 'Look at the file in the guest.',
    });
  };
}
