/**
 * Whom we trust on TLS: what Node and the system trust, plus the authority the inventory names.
 * Rule: an extra authority adds to the roots and never replaces them. Checks are never switched off.
 */
import { Agent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';

/** PEM certificates for Node's `ca` option; undefined leaves Node's own default untouched. */
export const trustedRoots = (extra: string | undefined): string[] | undefined =>
  extra === undefined
    ? undefined
    : [...new Set([...getCACertificates('default'), ...getCACertificates('system'), extra])];

/** For the options of a TLS connection: one context for all of them, because reading all roots costs more than a handshake. */
export function trustContext(extra: string | undefined): { secureContext?: SecureContext } {
  const roots = trustedRoots(extra);
  return roots === undefined ? {} : { secureContext: createSecureContext({ ca: roots }) };
}

/**
 * Sends the SDK's calls through one agent that trusts `roots`. Handed over as the SDK's own TLS option, all roots would be
 * joined into a key for every call and read anew for every connection: 9 ms of a core a call.
 */
export function trusting(roots: string[]): PipelinePolicy {
  const agent = new Agent({ keepAlive: true, secureContext: createSecureContext({ ca: roots }) });
  return {
    name: 'homewardTrust',
    sendRequest(request, next) {
      request.agent = agent;
      return next(request);
    },
  };
}
