/**
 * The lab's Azure simulator inside the test's own process, with one machine of two disks, and our two clients on it.
 * Rule: the simulator is the lab's, unmodified; tests reach behind the wire only to write guest data and to look.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server as PlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Extent } from '../../disk/point-reader.ts';
import { Arm } from '../../lab/azure/arm.ts';
import { Audit } from '../../lab/azure/audit.ts';
import { Blob } from '../../lab/azure/blob.ts';
import { Entra } from '../../lab/azure/entra.ts';
import { type FaultAction, Faults } from '../../lab/azure/faults.ts';
import { startProxy } from '../../lab/azure/proxy.ts';
import { FrontDoor } from '../../lab/azure/server.ts';
import { World } from '../../lab/azure/world.ts';
import { worldFile } from '../../lab/azure/world-file.ts';
import { makeCertificates } from '../../lab/certificates.ts';
import { Failure } from '../../model/failure.ts';
import { type AzureSiteConfig, site } from '../../model/inventory.ts';
import type { RecoveryPoint, SourceState } from '../../model/machine.ts';
import type { AzureSiteParts } from '../../sites/azure/client.ts';
import { type AzureReaderParts, createAzureReader } from '../../sites/azure/point-source.ts';
import { createAzureSource } from '../../sites/azure/source-site.ts';
import type { PointRequest, RetireRequest, Work } from '../../sites/source.ts';

export const group = 'rg-failover';
export const path = `${group}/erp-db`;
export const run = randomUUID();
export const machine = 'erp-db';
export const mib = 1024 * 1024;
export const osBytes = 12 * mib;
export const dataBytes = 6 * mib;

export const quiet = (signal = new AbortController().signal): Work => ({
  signal,
  report: () => undefined,
  mayChange: () => undefined,
});

export interface AzureLab {
  readonly world: World;
  readonly entra: Entra;
  readonly faults: Faults;
  readonly config: AzureSiteConfig;
  readonly ca: string;
  readonly source: ReturnType<typeof createAzureSource>;
  reader(extra?: Partial<AzureReaderParts>): ReturnType<typeof createAzureReader>;
  fault(operation: string, action: FaultAction, rule?: { count?: number; skip?: number; resource?: string }): void;
  /** Operations answered since the last call, in order. */
  calls(): string[];
  write(disk: string, offset: number, bytes: Uint8Array): Promise<void>;
  discard(disk: string, offset: number, length: number): Promise<void>;
  sha256(disk: string): Promise<string>;
  /** What is asked for with the first recovery point of the machine as it is now. */
  pointRequest(): Promise<PointRequest>;
  retireRequest(final: RecoveryPoint): Promise<RetireRequest>;
  /** Deallocates the machine as the cutover does. */
  stop(): Promise<SourceState>;
  /** Somebody starts the machine by hand, and stops it again. */
  startAndStop(): Promise<void>;
  close(): Promise<void>;
}

const listen = async (server: PlainServer | ReturnType<typeof createServer>): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
};

const worldOf = (secretFile: string, settings: object, moreDisks: readonly number[]) =>
  worldFile.parse({
    subscriptionId: randomUUID(),
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecretFile: secretFile,
    settings: { lroMs: 20, snapshotsPer5Min: 1_000, ...settings },
    vms: [
      {
        resourceGroup: group,
        name: 'erp-db',
        osDisk: { name: 'erp-db-os', sizeBytes: osBytes, hyperVGeneration: 'V2' },
        dataDisks: [dataBytes, ...moreDisks].map((sizeBytes, lun) => ({
          name: lun === 0 ? 'erp-db-data' : `erp-db-data-${lun}`,
          lun,
          sizeBytes,
        })),
        nics: [{ name: 'erp-db-nic', privateIp: '10.0.0.4' }],
      },
    ],
  });

/** One audit that keeps the names of the calls in memory. */
class Calls extends Audit {
  readonly names: string[] = [];
  override write(line: Parameters<Audit['write']>[0]): void {
    this.names.push(line.operation);
    super.write(line);
  }
}

/**
 * `settings`: of the simulator. `secret`: what the client says its secret is. `extra`: more parts of the clients.
 * `moreDisks`: sizes in bytes of further data disks, `erp-db-data-1` and so on.
 */
export async function openAzureLab(
  settings: object = {},
  secret = 'right',
  extra: Partial<AzureSiteParts> = {},
  moreDisks: readonly number[] = [],
): Promise<AzureLab> {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-azure-'));
  const certificates = await makeCertificates(folder);
  const [ca, cert, key] = await Promise.all(
    [certificates.caFile, certificates.certFile, certificates.keyFile].map((file) => readFile(file, 'utf8')),
  );
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, 'right');
  const file = worldOf(secretFile, settings, moreDisks);
  const world = await World.open(file, folder, () => Promise.reject(new Error('these machines have no guest')));
  const [faults, audit, entra] = [
    new Faults(),
    new Calls(join(folder, 'audit.jsonl')),
    new Entra(file, world.settings, 'right'),
  ];
  // Longer than any client keeps an idle connection, so that none is closed under a request.
  const front = createServer({ cert, key, keepAliveTimeout: 120_000 });
  const sockets = new Set<Socket>();
  const remember = (socket: Socket): void => void sockets.add(socket.once('close', () => sockets.delete(socket)));
  const base = `https://localhost:${await listen(front)}`;
  const arm = new Arm(world, base, async () => undefined);
  const door = new FrontDoor({ world, arm, entra, blob: new Blob(world), faults, audit, base: () => base });
  front.on('request', (request, response) => door.handle(request, response));
  front.on('connection', (socket) => door.meet(socket));
  // One that has not shaken hands yet is no connection to the server, and would keep the process for two minutes.
  front.on('connection', remember);
  const proxy = startProxy(front);
  proxy.on('connection', remember);
  const config = site.parse({
    kind: 'azure',
    subscriptionId: file.subscriptionId,
    credential: { kind: 'client-secret', tenantId: file.tenantId, clientId: file.clientId, secret: { file: 'secret' } },
    endpoint: base,
    authority: base,
    proxy: `http://127.0.0.1:${await listen(proxy)}`,
  }) as AzureSiteConfig;
  const parts = { site: 'azure', config, ca, secretOf: () => secret, ...extra };
  const source = createAzureSource(parts);
  const readers: ReturnType<typeof createAzureReader>[] = [];
  const atFirst = [...world.disks.values()];
  const disk = (name: string) => world.disk(group, name).data;
  return {
    ...{ world, entra, faults, config, ca: ca ?? '', source },
    reader(extra = {}) {
      const reader = createAzureReader({ ...parts, limits: { repeatMs: 20 }, ...extra });
      readers.push(reader);
      return reader;
    },
    fault: (operation, action, rule = {}) => void faults.add({ operation, action, skip: 0, count: 1, ...rule }),
    calls: () => audit.names.splice(0),
    write: (name, offset, bytes) => disk(name).write(offset, bytes),
    discard: (name, offset, length) => disk(name).discard(offset, length),
    async sha256(name) {
      return createHash('sha256')
        .update(await disk(name).read(0, disk(name).sizeBytes))
        .digest('hex');
    },
    async pointRequest() {
      const { disks, identity } = await source.observeMachine(path, quiet());
      return { path, run, machine, identity, number: 1, final: false, disks };
    },
    async retireRequest(final) {
      const { disks, nics, identity } = await source.observeMachine(path, quiet());
      return { path, run, machine, identity, disks, nics, final };
    },
    async stop() {
      return source.ensureStopped({ path, identity: world.machine(group, machine).vmId }, quiet());
    },
    async startAndStop() {
      await world.powerOn(world.machine(group, machine));
      await world.powerOff(world.machine(group, machine), 'deallocated');
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
      front.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      front.close();
      proxy.close();
      await world.close();
      // The simulator forgets a deleted disk without closing its file.
      const deleted = atFirst.filter((one) => ![...world.disks.values()].some((kept) => kept.data === one.data));
      await Promise.all(deleted.map((one) => one.data.close()));
      await audit.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes a change list into an image, as the disk engine would. */
export async function apply(
  image: Buffer,
  point: {
    changes(signal: AbortSignal): AsyncIterable<Extent>;
    read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void>;
  },
): Promise<Extent[]> {
  const { signal } = new AbortController();
  const extents: Extent[] = [];
  for await (const extent of point.changes(signal)) extents.push(extent);
  for (const { offset, length, kind } of extents) {
    const into = image.subarray(offset, offset + length);
    if (kind === 'zero') into.fill(0);
    else await point.read(offset, into, signal);
  }
  return extents;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The failure a promise ends with; everything reachable from it is searched for grants, tokens and secrets (S13). */
export async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const everything = inspect(error, {
    depth: 20,
    showHidden: true,
    getters: true,
    maxStringLength: null,
    maxArrayLength: null,
  });
  for (const secret of [/sig=(?!…)/, /[?&]si=/, /eyJ[\w-]{10}/, /client_secret/i, /Bearer (?!…)\S/])
    if (secret.test(everything)) throw new Error(`a secret is visible in the failure (${secret})`);
  if (error instanceof Failure) return error;
  throw new Error('no Failure was thrown', { cause: error });
}
