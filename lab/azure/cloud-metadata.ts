/**
 * What a cloud says of itself to anyone who asks, before any sign-in: `GET /metadata/endpoints`, which is all that
 * `az cloud register` needs to know of a lab.
 * Rule: only what the lab really serves is named; the sign-in goes to the ADFS form of the authority, because the plain
 * form makes `az` ask Microsoft's own instance discovery.
 */
import type { Answer } from './operations.ts';

/** Answers the path when it is this one; `base` is the absolute URL of this server. */
export function cloudMetadata(method: string, path: string, base: string): Answer | undefined {
  if (method !== 'GET' || path !== '/metadata/endpoints') return undefined;
  return {
    status: 200,
    body: {
      name: 'HomewardLab',
      resourceManager: `${base}/`,
      graphAudience: `${base}/`,
      authentication: {
        loginEndpoint: `${base}/adfs`,
        audiences: ['https://management.azure.com/'],
        tenant: 'adfs',
        identityProvider: 'ADFS',
      },
      suffixes: {},
    },
  };
}
