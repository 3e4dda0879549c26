/**
 * The few words of Azure that a mover needs before it may read: a login, what a snapshot is, a grant on it, the grant back.
 * Rule: it stands at the network edge and answers the product's unmodified client at once; the grants lead to the bench's
 * server. Never says anything of bytes. (The lab's simulator is not used here, because it serves its bytes itself.)
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Entra } from '../lab/azure/entra.ts';
import type { Answer } from '../lab/azure/operations.ts';
import { Refusal } from '../lab/azure/refusal.ts';
import { type WorldFile, worldFile } from '../lab/azure/world-file.ts';
import type { Certificates } from '../lab/certificates.ts';
import type { DiskPoint } from '../model/machine.ts';

export interface Published {
  readonly disk: string;
  readonly sizeBytes: number;
  /** Where its bytes are read: https address without a query. */
  readonly address: string;
  /** Snapshots of one disk, which can be compared. */
  readonly family: string;
}

export interface GrantDesk {
  readonly base: string;
  readonly identity: Pick<WorldFile, 'subscriptionId' | 'tenantId' | 'clientId'>;
  /** Makes a snapshot known; it is younger than all before it. */
  publish(snapshot: Published): DiskPoint;
  close(): Promise<void>;
}

interface Snapshot extends Published {
  readonly id: string;
  readonly uniqueId: string;
  readonly timeCreated: string;
  granted: boolean;
}

const group = 'rg-bench';

const shapeOf = ({ id, uniqueId, timeCreated, sizeBytes, family, granted }: Snapshot): object => ({
  id,
  name: id.split('/').at(-1),
  location: 'westeurope',
  properties: {
    creationData: { createOption: 'Copy', sourceUniqueId: family, logicalSectorSize: 512 },
    diskSizeBytes: sizeBytes,
    timeCreated,
    provisioningState: 'Succeeded',
    diskState: granted ? 'ActiveSAS' : 'Unattached',
    uniqueId,
    incremental: true,
    incrementalSnapshotFamilyId: family,
    completionPercent: 100,
  },
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function answerFor(snapshots: ReadonlyMap<string, Snapshot>, method: string, path: string): Answer {
  const found = /\/snapshots\/([^/]+)(?:\/(\w+))?$/.exec(path);
  const snapshot = snapshots.get(found?.[1] ?? '');
  if (!snapshot) return { status: 404, body: { error: { code: 'ResourceNotFound', message: `there is no ${path}` } } };
  const verb = `${method} ${found?.[2]?.toLowerCase() ?? ''}`;
  if (verb === 'GET ') return { status: 200, body: shapeOf(snapshot) };
  if (verb === 'POST endgetaccess') {
    snapshot.granted = false;
    return { status: 200 };
  }
  if (verb !== 'POST begingetaccess') return { status: 405 };
  snapshot.granted = true;
  const sas = `sv=2018-03-28&sr=b&si=${randomUUID()}&sig=${randomBytes(32).toString('base64url')}`;
  return { status: 200, body: { accessSAS: `${snapshot.address}?${sas}` } };
}

/** `secretFile` holds the client's secret. */
export async function openGrantDesk(certificates: Certificates, secretFile: string): Promise<GrantDesk> {
  const [cert, key, secret] = await Promise.all(
    [certificates.certFile, certificates.keyFile, secretFile].map((file) => readFile(file, 'utf8')),
  );
  const identity = { subscriptionId: randomUUID(), tenantId: randomUUID(), clientId: randomUUID() };
  const file = worldFile.parse({ ...identity, clientSecretFile: secretFile, vms: [] });
  const entra = new Entra(file, file.settings, secret ?? '');
  const snapshots = new Map<string, Snapshot>();
  const front = createServer({ cert, key });
  // A connection that is closed while a request is on its way would fail a copy: nobody tries again here, as Temporal does.
  front.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const base = `https://localhost:${(front.address() as AddressInfo).port}`;
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { method = 'GET', url = '/' } = request;
    const { pathname } = new URL(url, base);
    const said = await bodyOf(request);
    const login = entra.answer(method, pathname, said, base);
    if (login) return login;
    entra.check(request.headers.authorization);
    return answerFor(snapshots, method, pathname);
  };
  front.on('request', (request, response) => {
    const send = ({ status, headers, body }: Answer): void => {
      response.writeHead(status, { ...headers, 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    answer(request).then(send, (error: unknown) => {
      const { status, code, message } = error instanceof Refusal ? error : new Refusal(500, 'Bench', String(error));
      send({ status, body: { error: { code, message } } });
    });
  });
  let made = 0;
  return {
    base,
    identity,
    publish(snapshot) {
      const name = `${snapshot.disk}-${++made}`;
      const id = `/subscriptions/${identity.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Compute/snapshots/${name}`;
      const timeCreated = new Date(Date.UTC(2026, 0, 1) + made * 60_000).toISOString();
      const entry = { ...snapshot, id, uniqueId: randomUUID(), timeCreated, granted: false };
      snapshots.set(name, entry);
      return { disk: 'os', id, identity: entry.uniqueId, sizeBytes: snapshot.sizeBytes };
    },
    async close() {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
    },
  };
}
