/**
 * Builds the official Azure clients of a site: one credential, one trust, no retries of their own.
 * Rule: Temporal retries, so the SDK sends each call once; only a refused token is renewed here.
 * Never keeps the secret: it goes from the resolver into the credential. TLS is always checked.
 */
import { ComputeManagementClient } from '@azure/arm-compute';
import { createDefaultHttpClient, createPipelineRequest, type PipelinePolicy } from '@azure/core-rest-pipeline';
import {
  ClientSecretCredential,
  DefaultAzureCredential,
  type TokenCredential,
  type TokenCredentialOptions,
} from '@azure/identity';
import type { AzureSiteConfig, SecretReference } from '../../model/inventory.ts';
import type { Work } from '../source.ts';
import { ask, type What } from './call.ts';
import { deadline, requestMs } from './deadline.ts';
import { answerFailure, redact, retryAfter } from './failure.ts';
import { lastLook } from './last-look.ts';
import { tokenRenewal } from './token-renewal.ts';
import { trustedRoots, trusting } from './trust.ts';

export type SecretOf = (reference: SecretReference) => string;

export interface AzureSiteParts {
  /** The site's name in the inventory. */
  readonly site: string;
  readonly config: AzureSiteConfig;
  readonly secretOf: SecretOf;
  /** PEM of the authority that `caFile` names, where it names one. */
  readonly ca?: string | undefined;
  /** Longest time of one request, a token's included, in milliseconds; the default suits, a shorter one is for tests. */
  readonly requestMs?: number;
}

export interface AzureClients {
  readonly site: string;
  readonly subscriptionId: string;
  readonly compute: ComputeManagementClient;
  /** Asks for a token, to learn whether the login works. Throws a Failure. */
  login(work: Work): Promise<void>;
  /** GET of a path below the endpoint that the SDK has no client for. Throws a Failure. */
  get(what: What, path: string, work: Work): Promise<unknown>;
}

/** Tokens are asked for public Azure's resource, whatever the endpoint is called; the SDK does the same. */
const scope = 'https://management.azure.com/.default';
const publicAuthority = 'https://login.microsoftonline.com';
const noRetries = { maxRetries: 0 };

/** What every official client of a site is made with. */
export interface AzureAccess {
  readonly site: string;
  readonly subscriptionId: string;
  readonly credential: TokenCredential;
  readonly options: NonNullable<ConstructorParameters<typeof ComputeManagementClient>[2]>;
}

export function azureAccess({ site, config, secretOf, ca, ...limits }: AzureSiteParts): AzureAccess {
  const roots = trustedRoots(ca);
  const each = (policy: PipelinePolicy) => ({ policy, position: 'perRetry' as const });
  const inTime = each(deadline(limits.requestMs ?? requestMs));
  const trusted = roots === undefined ? [] : [each(trusting(roots))];
  const fresh = (): TokenCredential => createCredential(config, secretOf, { additionalPolicies: [inTime, ...trusted] });
  const credential = correctable(fresh);
  const options = {
    endpoint: config.endpoint,
    retryOptions: noRetries,
    credentials: { scopes: [scope] },
    additionalPolicies: [each(tokenRenewal(fresh, scope)), inTime, ...trusted, each(lastLook)],
  };
  return { site, subscriptionId: config.subscriptionId, credential, options };
}

export function createAzureClients({ site, subscriptionId, credential, options }: AzureAccess): AzureClients {
  const compute = new ComputeManagementClient(credential, subscriptionId, options);
  const endpoint = String(options.endpoint);
  const http = createDefaultHttpClient();
  return {
    site,
    subscriptionId,
    compute,
    async login(work) {
      await ask({ op: 'sign in', subject: site }, work, (call) => credential.getToken(scope, call));
    },
    get(what, path, work) {
      return ask(what, work, async ({ abortSignal }) => {
        const url = new URL(path, endpoint);
        // A page's link to the next one must not lead the token elsewhere.
        if (url.origin !== new URL(endpoint).origin)
          throw answerFailure(what, { message: 'the answer leads to another server' });
        const request = createPipelineRequest({ url: url.href, method: 'GET', abortSignal });
        const response = await compute.pipeline.sendRequest(http, request);
        if (response.status === 200) return JSON.parse(response.bodyAsText ?? 'null') as unknown;
        throw refusedAnswer(what, response.status, response.bodyAsText ?? '', (name) => response.headers.get(name));
      });
    },
  };
}

/** Forgets a credential that gave no token, so that a corrected secret counts at the next try (S000-8). */
function correctable(fresh: () => TokenCredential): TokenCredential {
  let known: TokenCredential | undefined;
  return {
    async getToken(scopes, options) {
      known ??= fresh();
      try {
        return await known.getToken(scopes, options);
      } catch (error) {
        known = undefined;
        throw error;
      }
    },
  };
}

function createCredential(
  { credential, authority }: AzureSiteConfig,
  secretOf: SecretOf,
  http: TokenCredentialOptions,
): TokenCredential {
  const options = {
    ...http,
    authorityHost: authority,
    retryOptions: noRetries,
    // Instance discovery asks public Entra ID whether an authority is genuine; a private one is unknown there.
    disableInstanceDiscovery: new URL(authority).origin !== publicAuthority,
  };
  if (credential.kind === 'default') return new DefaultAzureCredential(options);
  return new ClientSecretCredential(credential.tenantId, credential.clientId, secretOf(credential.secret), options);
}

/** An error body of Azure Resource Manager: `{"error":{"code":…,"message":…}}`. */
function refusedAnswer(what: What, status: number, body: string, header: (name: string) => string | undefined): Error {
  let said: { error?: { code?: unknown; message?: unknown } } = {};
  try {
    said = JSON.parse(body) as typeof said;
  } catch {
    said = { error: { message: redact(body) } };
  }
  const { code, message } = said.error ?? {};
  return answerFailure(what, {
    status,
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : 'no text',
    retryAfterMs: retryAfter(header),
  });
}
