/**
 * The HTTPS front: reads a request, finds who answers it (Entra, ARM, blob), applies faults, writes the audit line.
 * Rule: faults and the audit live here and nowhere else, so that every call can be broken and every call is seen.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Arm, Route } from './arm.ts';
import type { Audit } from './audit.ts';
import { Blob, blobOperations } from './blob.ts';
import { cloudMetadata } from './cloud-metadata.ts';
import type { Entra } from './entra.ts';
import type { Faults, MetFault } from './faults.ts';
import { blobHostSuffix } from './grants.ts';
import { assertUnlocked } from './locks.ts';
import type { Answer } from './operations.ts';
import { Refusal } from './refusal.ts';
import { faultRefusal, json, jsonBody, jsonRefusal, send, type Written, xmlRefusal } from './reply.ts';
import type { World } from './world.ts';

export interface Parts {
  readonly world: World;
  readonly arm: Arm;
  readonly entra: Entra;
  readonly blob: Blob;
  readonly faults: Faults;
  readonly audit: Audit;
  /** Absolute URL of this server. */
  base(): string;
}

/** What anyone may ask: the sign-in, and what this cloud is. */
const openOperations = ['entra.token', 'entra.discovery'] as const;

export class FrontDoor {
  private readonly parts: Parts;
  /** The connections below TLS by the client's port: only they can be reset. */
  private readonly plain = new Map<number | undefined, Socket>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Every operation a call can be, by the name that faults and the audit know it by. */
  operations(): string[] {
    return [...openOperations, ...this.parts.arm.operations(), ...blobOperations];
  }

  /** To be told of each connection as it comes in. */
  meet(socket: Duplex): void {
    if (!(socket instanceof Socket)) return;
    const { remotePort } = socket;
    this.plain.set(remotePort, socket);
    socket.once('close', () => this.plain.delete(remotePort));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    void this.answer(request, response).catch((error: unknown) => {
      process.stderr.write(`simulator fault: ${error instanceof Error ? error.stack : String(error)}\n`);
      response.destroy();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    // `az` joins addresses with two slashes; resolved as they stand, they would name another host.
    const path = (request.url ?? '/').replace(/^\/+/, '/');
    const url = new URL(path, `https://${request.headers.host ?? 'localhost'}`);
    const body = await bodyOf(request);
    if (url.hostname.endsWith(blobHostSuffix)) return await this.blob(request, response, method, url, body);
    const base = this.parts.base();
    const open =
      this.parts.entra.answer(method, url.pathname, body.toString('utf8'), base) ??
      cloudMetadata(method, url.pathname, base);
    if (open) return await this.open(request, response, url, open);
    const route = this.parts.arm.route(method, url.pathname);
    await this.arm(request, response, { method, url, body, route });
  }

  private async open(request: IncomingMessage, response: ServerResponse, url: URL, answer: Answer): Promise<void> {
    const operation: (typeof openOperations)[number] = url.pathname.endsWith('/token')
      ? 'entra.token'
      : 'entra.discovery';
    const fault = this.parts.faults.meet(operation, url.pathname);
    await this.finish(request, response, { operation, resource: '' }, fault, async () => json(answer));
  }

  private async arm(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { method: string; url: URL; body: Buffer; route: Route | undefined },
  ): Promise<void> {
    const { route, url, method, body } = asked;
    const operation = route?.operation ?? 'unknown';
    const resource = route?.resource ?? url.pathname;
    const fault = this.parts.faults.meet(operation, resource);
    await this.finish(request, response, { operation, resource }, fault, async () => {
      this.parts.entra.check(request.headers.authorization);
      if (!route) throw new Refusal(404, 'InvalidResourceType', `The lab has no route ${method} ${url.pathname}.`);
      this.assertAllowed(route);
      assertUnlocked(this.parts.world, method, route.resource);
      const parsed = jsonBody(body);
      return json(await route.act({ method, url, body: parsed, fault }));
    });
  }

  private assertAllowed(route: Route): void {
    const { deniedActions, deniedIn } = this.parts.world.settings;
    const [, group = route.resource] = /\/resourceGroups\/([^/]+)/i.exec(route.resource) ?? [];
    if (![...deniedActions, ...(deniedIn[group] ?? [])].includes(route.action)) return;
    const { clientId } = this.parts.world.file;
    throw new Refusal(
      403,
      'AuthorizationFailed',
      `The client '${clientId}' does not have authorization to perform action '${route.action}' over scope '${route.resource}'.`,
    );
  }

  private async blob(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    url: URL,
    body: Buffer,
  ): Promise<void> {
    const operation = Blob.operation(method, url, request.headers);
    const resource = this.parts.blob.resource(url);
    const fault = this.parts.faults.meet(operation, resource, askedRange(request));
    await this.finish(
      request,
      response,
      { operation, resource },
      fault,
      async () => {
        return await this.parts.blob.answer({ method, url, headers: request.headers, body, fault });
      },
      xmlRefusal,
    );
  }

  /** One way out: the fault before, the work, the fault after, the audit line, the bytes. */
  private async finish(
    request: IncomingMessage,
    response: ServerResponse,
    call: { operation: string; resource: string },
    fault: MetFault | undefined,
    act: () => Promise<Written>,
    refusal: (error: Refusal) => Written = jsonRefusal,
  ): Promise<void> {
    if (fault?.delayMs) await delayed(fault.delayMs, fault.gone);
    const drop = (): void => {
      this.note(request, call, { status: 'dropped' });
      const below = fault?.drop === 'reset' ? this.plain.get(request.socket.remotePort) : undefined;
      if (below) below.resetAndDestroy();
      else request.socket.destroy();
    };
    if (fault?.drop === 'before' || fault?.drop === 'reset') return drop();
    if (fault?.expire === 'before') this.expire(request);
    const written = await (fault?.status ? Promise.reject(faultRefusal(fault)) : act()).catch((error: unknown) => {
      if (error instanceof Refusal) return refusal(error);
      throw error;
    });
    if (fault?.drop === 'after') return drop();
    this.note(request, call, written);
    if (fault?.expire === 'during') this.expire(request);
    const { clockOffsetMs } = this.parts.world.settings;
    if (clockOffsetMs !== 0) response.setHeader('Date', new Date(Date.now() + clockOffsetMs).toUTCString());
    await send(request, response, written, fault);
    if (fault?.expire === 'after') this.expire(request);
  }

  /** Ends the grants a request carries, or, when it carries none, every token there is. */
  private expire({ url, headers }: IncomingMessage): void {
    const { grants } = this.parts.world;
    const carried = [`https://${headers.host}${url}`, String(headers['x-ms-previous-snapshot-url'] ?? '')]
      .filter((text) => URL.canParse(text))
      .map((text) => grants.find(new URL(text)));
    if (carried.every((grant) => grant === undefined)) this.parts.entra.revokeAll();
    for (const grant of carried) if (grant) grant.expiresAt = 0;
  }

  private note(
    request: IncomingMessage,
    call: { operation: string; resource: string },
    outcome: { status: number | 'dropped'; code?: string | undefined },
  ): void {
    this.parts.audit.write({
      ...call,
      method: request.method ?? '',
      status: outcome.status,
      code: outcome.code,
      range: askedRange(request),
      requestId: one(request.headers['x-ms-client-request-id']),
    });
  }
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/** Waits, but no longer than anybody wants it. */
const delayed = (ms: number, gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const goOn = (): void => {
      clearTimeout(timer);
      resolve();
    };
    gone.addEventListener('abort', goOn, { once: true });
  });

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const askedRange = ({ headers }: IncomingMessage): string | undefined => one(headers['x-ms-range'] ?? headers.range);
