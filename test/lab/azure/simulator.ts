/**
 * Starts an Azure simulator for one test file: certificates, a world of one VM with two small disks, the official SDK.
 * Rule: clients here are Microsoft's own, unmodified; the control door is used only as an oracle and to set faults.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ComputeManagementClient } from '@azure/arm-compute';
import { ClientSecretCredential } from '@azure/identity';
import { type Dispatcher, ProxyAgent, request } from 'undici';
import { makeCertificates } from '../../../lab/certificates.ts';

export const resourceGroup = 'rg-test';
export const diskBytes = 8 * 1024 * 1024;

export interface Simulator {
  readonly arm: string;
  readonly authority: string;
  readonly proxy: string;
  readonly control: string;
  readonly audit: string;
  readonly subscriptionId: string;
  readonly ca: string;
  readonly caFile: string;
  readonly secret: string;
  readonly identity: { readonly tenantId: string; readonly clientId: string };
  readonly compute: ComputeManagementClient;
  /** Path of the file behind a disk's live content. */
  readonly folder: string;
  tell(door: string, body?: object): Promise<Record<string, unknown>>;
  ask(door: string): Promise<Record<string, unknown>>;
  blob(url: string, headers: Record<string, string>, method?: 'GET' | 'HEAD'): Promise<Dispatcher.ResponseData>;
  stop(): Promise<void>;
}

export async function startSimulator(settings: object = {}): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-azure-'));
  const certificates = await makeCertificates(folder);
  const secret = randomBytes(16).toString('base64url');
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
  await mkdir(join(folder, 'images'));
  for (const name of ['os', 'data']) await writeFile(join(folder, 'images', `${name}.raw`), image(name));
  const identity = { subscriptionId: randomUUID(), tenantId: randomUUID(), clientId: randomUUID() };
  const disk = (name: string) => ({
    name: `vm1-${name}`,
    sizeBytes: diskBytes,
    file: join(folder, 'images', `${name}.raw`),
  });
  const vm = {
    resourceGroup,
    name: 'vm1',
    osDisk: disk('os'),
    dataDisks: [{ ...disk('data'), lun: 0 }],
    nics: [{ name: 'vm1-nic' }],
  };
  const world = {
    ...identity,
    clientSecretFile: secretFile,
    vms: [vm],
    settings: { lroMs: 20, snapshotsPer5Min: 500, ...settings },
  };
  await writeFile(join(folder, 'world.json'), JSON.stringify(world));
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(__dirname, '../../../lab/azure/main.ts'),
      '--world',
      join(folder, 'world.json'),
      '--dir',
      folder,
      '--cert',
      certificates.certFile,
      '--key',
      certificates.keyFile,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const said = JSON.parse(await firstLine(child)) as Pick<
    Simulator,
    'arm' | 'authority' | 'proxy' | 'control' | 'audit'
  >;
  const ca = await readFile(certificates.caFile, 'utf8');
  const agent = new ProxyAgent({ uri: said.proxy, requestTls: { ca } });
  const credential = new ClientSecretCredential(identity.tenantId, identity.clientId, secret, {
    authorityHost: said.authority,
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
  } as ConstructorParameters<typeof ClientSecretCredential>[3]);
  const compute = new ComputeManagementClient(credential, identity.subscriptionId, {
    endpoint: said.arm,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 0 },
  });
  const door = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${said.control}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    ...said,
    ...identity,
    identity,
    ca,
    caFile: certificates.caFile,
    secret,
    compute,
    folder,
    tell: (path, body) => door('POST', path, body ?? {}),
    ask: (path) => door('GET', path),
    blob: (url, headers, method = 'GET') =>
      request(url, { method, headers: { 'x-ms-version': '2025-07-05', ...headers }, dispatcher: agent }),
    async stop() {
      await agent.close();
      child.stdin.end();
      await new Promise((resolve) => child.once('exit', resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A disk image with data at both ends and a hole between. */
function image(seed: string): Buffer {
  const bytes = Buffer.alloc(diskBytes);
  bytes.fill(seed, 0, 1024 * 1024);
  bytes.fill(`${seed} end`, diskBytes - 512);
  return bytes;
}

function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString();
      if (out.includes('\n')) resolve(out.split('\n')[0] ?? '');
    });
    child.stderr.on('data', (piece: Buffer) => {
      errors += piece.toString();
    });
    child.on('exit', (code) => reject(new Error(`the simulator ended with ${code}: ${errors.slice(-2000)}`)));
  });
}
