/**
 * Microsoft Entra as far as a service principal needs it: discovery and the client-credentials grant, in the plain and
 * the ADFS form.
 * Rule: a token is random and known only while it lives; a wrong secret is refused in Entra's own words.
 */
import { randomBytes } from 'node:crypto';
import type { Answer } from './operations.ts';
import { Refusal } from './refusal.ts';
import type { Settings, WorldFile } from './world-file.ts';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Entra {
  private readonly file: WorldFile;
  private readonly settings: Settings;
  private readonly secret: string;
  private readonly tokens = new Map<string, number>();

  constructor(file: WorldFile, settings: Settings, secret: string) {
    this.file = file;
    this.settings = settings;
    this.secret = secret;
  }

  private now(): number {
    return Date.now() + this.settings.clockOffsetMs;
  }

  revokeAll(): void {
    this.tokens.clear();
  }

  /** Refuses a request whose bearer token is missing, unknown or too old. */
  check(authorization: string | undefined): void {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    const until = token === undefined ? undefined : this.tokens.get(token);
    if (until !== undefined && until > this.now()) return;
    const [code, why] =
      token === undefined
        ? ['AuthenticationFailed', 'Authentication failed. The Authorization header is missing.']
        : ['ExpiredAuthenticationToken', 'The access token expiry is earlier than the current time.'];
    throw new Refusal(401, code, why, {
      'WWW-Authenticate': `Bearer authorization_uri="https://login.windows.net/${this.file.tenantId}", error="invalid_token"`,
    });
  }

  /** Answers a path of the authority; undefined when it is none of its own. `base`: absolute URL of this server. */
  answer(method: string, path: string, body: string, base: string): Answer | undefined {
    if (method === 'GET' && path.endsWith('/discovery/instance')) return { status: 200, body: this.instance(base) };
    const tenant = path.startsWith('/adfs') ? 'adfs' : this.file.tenantId;
    if (method === 'GET' && path.endsWith('/.well-known/openid-configuration'))
      return { status: 200, body: this.configuration(base, tenant) };
    if (method === 'POST' && /\/oauth2\/(v2\.0\/)?token$/.test(path)) return this.token(new URLSearchParams(body));
    return undefined;
  }

  private instance(base: string): object {
    return {
      tenant_discovery_endpoint: `${base}/${this.file.tenantId}/v2.0/.well-known/openid-configuration`,
      metadata: [],
    };
  }

  private configuration(base: string, tenant: string): object {
    const oauth = tenant === 'adfs' ? `${base}/adfs/oauth2` : `${base}/${tenant}/oauth2/v2.0`;
    return {
      issuer: `${base}/${tenant}/v2.0`,
      authorization_endpoint: `${oauth}/authorize`,
      token_endpoint: `${oauth}/token`,
      jwks_uri: `${base}/${tenant}/discovery/keys`,
      response_types_supported: ['code', 'token'],
      id_token_signing_alg_values_supported: ['RS256'],
      subject_types_supported: ['pairwise'],
    };
  }

  private token(form: URLSearchParams): Answer {
    const known = form.get('client_id') === this.file.clientId;
    if (!known)
      return refusal(
        400,
        'unauthorized_client',
        `AADSTS700016: Application with identifier '${form.get('client_id')}' was not found.`,
      );
    if (form.get('client_secret') !== this.secret)
      return refusal(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.');
    const seconds = this.settings.tokenLifetimeSeconds;
    const now = Math.floor(this.now() / 1000);
    const claims = {
      aud: 'https://management.azure.com/',
      tid: this.file.tenantId,
      appid: this.file.clientId,
      nbf: now,
      exp: now + seconds,
    };
    const token = `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
    this.tokens.set(token, this.now() + seconds * 1000);
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: seconds,
        ext_expires_in: seconds,
        access_token: token,
        resource: claims.aud,
      },
    };
  }
}

const refusal = (status: number, error: string, description: string): Answer => ({
  status,
  body: {
    error,
    error_description: description,
    error_codes: [Number(/\d+/.exec(description)?.[0] ?? 0)],
    correlation_id: '',
  },
});
