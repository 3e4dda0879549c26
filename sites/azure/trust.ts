/**
 * Whom we trust on TLS: what Node and the system trust, plus the authority the inventory names.
 * Rule: an extra authority adds to the roots and never replaces them. Checks are never switched off.
 */
import { getCACertificates } from 'node:tls';

/** PEM certificates for Node's `ca` option; undefined leaves Node's own default untouched. */
export const trustedRoots = (extra: string | undefined): string[] | undefined =>
  extra === undefined
    ? undefined
    : [...new Set([...getCACertificates('default'), ...getCACertificates('system'), extra])];
