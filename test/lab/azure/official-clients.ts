/**
 * Starts the Azure simulator for one test file and gives its tests the official SDK's clients, unmodified.
 * Rule: the simulator is a process of its own, as in the lab; what happened is asked at its control door and its audit.
 * Never reaches into the simulator's memory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { ComputeManagementClient, type ComputeManagementClientOptionalParams } from '@azure/arm-compute';
import { NetworkManagementClient } from '@azure/arm-network';
import { ClientSecretCredential } from '@azure/identity';
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob';
import { makeCertificates } from '../../../lab/certificates.ts';
import { knock } from '../../../lab/control-door.ts';

export const MiB = 1 << 20;
export const group = 'rg-lab';
export const osBytes = 4 * MiB;
export const dataBytes = 24 * MiB;
/** Polls of long-running operations come this often in tests. */
export const quick = { updateIntervalInMs: 15 };

export interface Door {
  get(path: string): Promise<unknown>;
  post(path: string, body?: object): Promise<unknown>;
  remove(path: string): Promise<unknown>;
}

export interface AuditLine {
  readonly operation: string;
  readonly status: number | string;
  readonly resource: string;
  readonly range?: string;
  readonly requestId?: string;
}

export interface SeenState {
  readonly vms: readonly { readonly name: string; readonly power: string; readonly disks: readonly string[] }[];
  readonly disks: readonly { readonly name: string; readonly state: string; readonly activeSas: boolean }[];
  readonly snapshots: readonly { readonly name: string; readonly tags: object; readonly activeSas: boolean }[];
  readonly nics: readonly { readonly name: string }[];
}

export interface Simulator {
  readonly arm: string;
  readonly authority: string;
  readonly proxy: string;
  readonly ca: string;
  readonly folder: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly secret: string;
  readonly door: Door;
  credential(secret?: string): ClientSecretCredential;
  compute(options?: ComputeManagementClientOptionalParams): ComputeManagementClient;
  network(): NetworkManagementClient;
  /** The official page-blob client, through the simulator's proxy. */
  blob(sas: string, tries?: number): PageBlobClient;
  diskId(name: string): string;
  state(): Promise<SeenState>;
  audit(): Promise<AuditLine[]>;
  sha256(disk: string, snapshot?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface Plan {
  readonly vms: readonly object[];
  readonly settings?: object;
  readonly effects?: string;
}

/** A machine with an OS disk and a data disk; without a guest, so that its bytes change only when a test says so. */
export const machine = (name: string, more: object = {}): object => ({
  resourceGroup: group,
  name,
  power: 'deallocated',
  osDisk: { name: `${name}-os`, sizeBytes: osBytes, hyperVGeneration: 'V2' },
  dataDisks: [{ name: `${name}-data`, lun: 0, sizeBytes: dataBytes }],
  nics: [{ name: `${name}-nic`, mac: '00-0D-3A-00-00-01', privateIp: '10.0.0.4' }],
  ...more,
});

async function firstLine(child: ChildProcess): Promise<Record<string, string>> {
  if (!child.stdout || !child.stderr) throw new Error('the simulator has no pipes');
  let words = '';
  child.stderr.on('data', (piece) => {
    words = (words + String(piece)).slice(-4000);
  });
  const line = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code} before it was ready: ${words}`)));
  });
  return JSON.parse(await line) as Record<string, string>;
}

function doorAt(control: string): Door {
  return {
    get: (path) => knock(`${control}${path}`),
    post: (path, body = {}) => knock(`${control}${path}`, body),
    remove: (path) => knock(`${control}${path}`, undefined, 'DELETE'),
  };
}

function clientsOf(
  said: Record<string, string>,
  identity: Record<'subscriptionId' | 'tenantId' | 'clientId', string>,
  secret: string,
  ca: string,
) {
  const { arm = '', authority = '', proxy = '' } = said;
  const credential = (other = secret) =>
    new ClientSecretCredential(identity.tenantId, identity.clientId, other, {
      authorityHost: authority,
      disableInstanceDiscovery: true,
      tlsOptions: { ca },
    });
  const { hostname, port } = new URL(proxy);
  return {
    credential,
    compute: (options: ComputeManagementClientOptionalParams = {}) =>
      new ComputeManagementClient(credential(), identity.subscriptionId, {
        endpoint: arm,
        tlsOptions: { ca },
        ...options,
      }),
    network: () =>
      new NetworkManagementClient(credential(), identity.subscriptionId, { endpoint: arm, tlsOptions: { ca } }),
    blob: (sas: string, tries = 1) =>
      new PageBlobClient(sas, new AnonymousCredential(), {
        proxyOptions: { host: `http://${hostname}`, port: Number(port) },
        retryOptions: { maxTries: tries, retryDelayInMs: 20, maxRetryDelayInMs: 50 },
      }),
    diskId: (name: string) =>
      `/subscriptions/${identity.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Compute/disks/${name}`,
  };
}

const linesOf = async (path: string): Promise<AuditLine[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditLine);

export async function startSimulator(plan: Plan): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-azure-'));
  const files = await makeCertificates(folder);
  const secret = 'lab-secret-~1';
  const identity = { subscriptionId: randomUUID(), tenantId: randomUUID(), clientId: randomUUID() };
  const clientSecretFile = join(folder, 'secret');
  await writeFile(clientSecretFile, secret, { mode: 0o600 });
  const settings = { lroMs: 40, ...plan.settings };
  const world = join(folder, 'world.json');
  await writeFile(
    world,
    JSON.stringify({ ...identity, clientSecretFile, location: 'westeurope', vms: plan.vms, settings }),
  );
  const entry = join(__dirname, '../../../lab/azure/main.ts');
  const flags = ['--world', world, '--dir', folder, '--cert', files.certFile, '--key', files.keyFile];
  if (plan.effects !== undefined) flags.push('--effects', plan.effects);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...flags]);
  const said = await firstLine(child);
  const ca = await readFile(files.caFile, 'utf8');
  // The proxy client of the storage SDK takes no authority of its own, so this process trusts the lab's.
  const trustedBefore = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trustedBefore, ca]);
  const door = doorAt(said.control ?? '');
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { arm = '', authority = '', proxy = '', audit = '' } = said;
  return {
    ...{ arm, authority, proxy, ca, folder, secret, door, ...identity },
    ...clientsOf(said, identity, secret, ca),
    state: async () => (await door.get('/state')) as SeenState,
    audit: () => linesOf(audit),
    async sha256(disk, snapshot) {
      const query = snapshot === undefined ? '' : `?snapshot=${snapshot}`;
      return ((await door.get(`/disks/${disk}/content-sha256${query}`)) as { sha256: string }).sha256;
    },
    async stop() {
      tls.setDefaultCACertificates(trustedBefore);
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Runs an action that must fail and gives back what the SDK threw. */
export async function failureOf(
  act: Promise<unknown>,
): Promise<{ statusCode?: number; code?: string; message: string }> {
  try {
    await act;
  } catch (error) {
    return error as { statusCode?: number; code?: string; message: string };
  }
  throw new Error('it should have failed, and did not');
}
