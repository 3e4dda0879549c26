/**
 * Starts our vCenter simulator for one test file and gives its tests a target client and the simulator's own door.
 * Rule: each test uses machines of its own; the simulator ends with the test file, because it reads our standard input.
 * Never asks the simulator through the client under test: what happened is read at the door.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { makeCertificates } from '../../lab/certificates.ts';
import { knock } from '../../lab/control-door.ts';
import type { DiskPair, WriteWay } from '../../model/machine.ts';
import type { Work } from '../../sites/source.ts';
import type { TargetRequest } from '../../sites/target.ts';
import { findByPath, type Machine, needMachine, type Vcenter } from '../../sites/vsphere/inventory.ts';
import { createSession } from '../../sites/vsphere/session.ts';
import { createVsphereTarget, type VsphereTarget } from '../../sites/vsphere/target-site.ts';
import { waitForTask } from '../../sites/vsphere/tasks.ts';
import { createTransport, type Transport } from '../../sites/vsphere/transport.ts';

export const MiB = 1 << 20;
export const password = 'lab & <secret>';
export const guestPassword = 'inside & <secret>';
export const user = 'administrator@vsphere.local';

export interface GivenDisk {
  readonly file: string;
  readonly sizeBytes: number;
  readonly uuid?: string;
  readonly controller?: number;
  readonly unit?: number;
}
export interface GivenMachine {
  readonly name: string;
  readonly disks?: readonly GivenDisk[];
  readonly power?: 'on' | 'off';
  readonly controllers?: readonly string[];
  readonly extraConfig?: Readonly<Record<string, string>>;
  readonly host?: number;
  readonly firmware?: 'bios' | 'efi';
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly nics?: readonly { readonly network: string; readonly mac?: string }[];
  /** Of its BIOS. */
  readonly uuid?: string;
}

export interface SeenMachine {
  readonly name: string;
  readonly power: string;
  readonly disks: readonly { readonly file: string; readonly controllerKey: number; readonly unit: number }[];
}

export interface TargetOptions {
  readonly password?: string;
  readonly transport?: Transport;
  readonly thumbprint?: string;
  readonly ca?: string | undefined;
  readonly callTimeoutMs?: number;
  /** What the inventory says of the login in every guest; the right one by default. */
  readonly guestPassword?: string;
  readonly isolatedNetwork?: string;
}

export interface Setting {
  readonly key: string;
  readonly value: string;
}

export interface Simulator {
  readonly url: string;
  readonly ca: string;
  readonly datastoreFolder: string;
  readonly certificate: string;
  target(options?: TargetOptions): VsphereTarget;
  /** One call at the simulator's own door; answers the parsed JSON. */
  door(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown>;
  machine(name: string): Promise<SeenMachine>;
  /** Changes a machine's settings as a person in the vSphere Client would: its name, or settings of ours. */
  byHand(name: string, change: { readonly name?: string; readonly extraConfig?: readonly Setting[] }): Promise<void>;
  /** Whatever else a person could do to a machine, with a session of their own. */
  hands<T>(name: string, act: (at: Vcenter, machine: Machine) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** The simulator's program: named by the environment, or found the way the lab finds it. */
async function programPath(): Promise<string> {
  const named = process.env.HOMEWARD_VCENTER_SIMULATOR;
  if (named) return named;
  const script =
    "import('./setup/programs.mjs').then((m) => m.programPath('vcenter')).then((path) => console.log(path))";
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: join(__dirname, '..', '..') });
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function ready(child: ChildProcess): Promise<{ sdk: string; control: string }> {
  if (!child.stdout) throw new Error('the simulator has no standard output');
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + String(chunk)).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the simulator ended: ${stderr}`))),
  ])) as [string];
  return JSON.parse(line) as { sdk: string; control: string };
}

/** Our client never renames a machine and has no word for it; here the word is put into its reconfiguration. */
function renaming(ca: string, name: string | undefined): Transport {
  const inner = createTransport({ ca });
  const renamed = (body: string): string => body.replace(/<(\w+:)?spec( [^>]*)?>/, `$&<$1name>${name}</$1name>`);
  return {
    exchange: (call) =>
      inner.exchange(
        name !== undefined && call.op === 'ReconfigVM_Task' && call.body !== undefined
          ? { ...call, body: renamed(call.body) }
          : call,
      ),
    close: () => inner.close(),
  };
}

/** A vCenter whose answers to some calls are others: what the simulator cannot be brought to say. */
export function answering(ca: string, op: string, rewrite: (body: string) => string): Transport {
  const inner = createTransport({ ca });
  return {
    async exchange(call) {
      const answer = await inner.exchange(call);
      return call.op === op ? { ...answer, body: rewrite(answer.body) } : answer;
    },
    close: () => inner.close(),
  };
}

/** A vCenter that says other values of these properties, of whatever object is read. A value may be an element. */
export const saying = (ca: string, values: Readonly<Record<string, string>>): Transport =>
  answering(ca, 'RetrievePropertiesEx', (body) =>
    Object.entries(values).reduce(
      (text, [name, value]) =>
        text.replace(new RegExp(`(<name>${name}</name><val[^>]*>)[^<]*`, 'g'), (_all, head: string) => head + value),
      body,
    ),
  );

export const moverName = 'homeward-mover';
export const moverPath = `/DC0/vm/${moverName}`;
const mover: GivenMachine = {
  name: moverName,
  power: 'on',
  controllers: ['pvscsi', 'lsilogic'],
  disks: [{ file: `${moverName}/${moverName}.vmdk`, sizeBytes: 4 * MiB }],
  extraConfig: { 'disk.EnableUUID': 'TRUE' },
};

export async function startSimulator(machines: readonly GivenMachine[]): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-vsphere-'));
  const datastoreFolder = join(folder, 'datastore');
  await mkdir(datastoreFolder);
  const files = await makeCertificates(folder);
  await writeFile(join(folder, 'password'), password, { mode: 0o600 });
  await writeFile(join(folder, 'guest-password'), guestPassword, { mode: 0o600 });
  const vms = (machines.some((one) => one.name === moverName) ? machines : [mover, ...machines]).map((one) => ({
    cpus: 1,
    memoryMiB: 64,
    host: 0,
    power: 'off',
    ...one,
    disks: (one.disks ?? []).map((disk, unit) => ({ controller: 0, unit, ...disk })),
    nics: one.nics ?? [],
  }));
  await writeFile(join(folder, 'inventory.json'), JSON.stringify({ vms }));
  const place = [
    '-cert',
    files.certFile,
    '-key',
    files.keyFile,
    '-user',
    user,
    '-password-file',
    join(folder, 'password'),
    '-guest-user',
    'root',
    '-guest-password-file',
    join(folder, 'guest-password'),
  ];
  const args = [
    ...place,
    '-datastore-dir',
    datastoreFolder,
    '-datastore-name',
    'lab-ds',
    '-inventory',
    join(folder, 'inventory.json'),
  ];
  const child = spawn(await programPath(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const { sdk, control } = await ready(child);
  const ca = await readFile(files.caFile, 'utf8');
  const open: VsphereTarget[] = [];
  const door: Simulator['door'] = (method, path, body) => knock(`${control}${path}`, body, method);
  return {
    url: sdk,
    ca,
    datastoreFolder,
    certificate: await readFile(files.certFile, 'utf8'),
    door,
    target(options = {}) {
      const { thumbprint, transport, callTimeoutMs } = options;
      const trusted = 'ca' in options ? options.ca : ca;
      const made = createVsphereTarget({
        site: 'dc-home',
        config: {
          ...{ url: sdk, user, datacenter: 'DC0', isolatedNetwork: options.isolatedNetwork },
          ...(thumbprint !== undefined && { thumbprint }),
        },
        guestLogin: () => ({ user: 'root', password: options.guestPassword ?? guestPassword }),
        password: () => options.password ?? password,
        guestStopMs: 2_000,
        ...(trusted !== undefined && { ca: trusted }),
        ...(transport && { transport }),
        ...(callTimeoutMs !== undefined && { callTimeoutMs }),
      });
      open.push(made);
      return made;
    },
    async machine(name) {
      const rows = (await door('GET', '/state')) as readonly SeenMachine[];
      const row = rows.find((one) => one.name === name);
      if (!row) throw new Error(`the simulator has no machine ${name}`);
      // Device keys are vCenter's to give anew at each plugging; what counts is which file hangs where.
      const disks = row.disks.map(({ file, controllerKey, unit }) => ({ file, controllerKey, unit }));
      return { name: row.name, power: row.power, disks };
    },
    async byHand(name, { name: newName, extraConfig = [] }) {
      const work = quietWork();
      const session = createSession({ url: sdk, user, password: () => password, transport: renaming(ca, newName) });
      try {
        const ref = await findByPath({ session, site: 'dc-home', datacenter: 'DC0' }, pathOf(name), work);
        if (!ref) throw new Error(`the simulator has no machine ${name}`);
        const task = await session.call('ReconfigVM_Task', ref, { spec: { extraConfig } }, work);
        await waitForTask(session, task, { op: 'by hand', subject: name }, work);
      } finally {
        await session.close();
      }
    },
    async hands(name, act) {
      const transport = createTransport({ ca });
      const session = createSession({ url: sdk, user, password: () => password, transport });
      try {
        const at = { session, site: 'dc-home', datacenter: 'DC0' };
        return await act(at, await needMachine(at, pathOf(name), quietWork()));
      } finally {
        await session.close();
      }
    },
    async stop() {
      await Promise.all(open.map((one) => one.close()));
      const ended = once(child, 'exit');
      child.stdin?.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Opens the tests of a file on a simulator of their own, handed over before the first of them, and ends it behind the last. */
export function onSimulator(machines: readonly GivenMachine[], use: (simulator: Simulator) => void): void {
  let started: Simulator | undefined;
  beforeAll(async () => {
    started = await startSimulator(machines);
    use(started);
  });
  afterAll(() => started?.stop());
}

export const quietWork = (): Work => ({
  signal: new AbortController().signal,
  report: () => undefined,
  mayChange: () => undefined,
});

export const pathOf = (name: string): string => `/DC0/vm/${name}`;
export const diskOf = (name: string, number = 0): string =>
  `[lab-ds] ${name}/${name}${number === 0 ? '' : `_${number}`}.vmdk`;

/** A machine with two disks, off, as a failover leaves it behind. */
export const original = (name: string): GivenMachine => ({
  name,
  disks: [
    { file: `${name}/${name}.vmdk`, sizeBytes: 8 * MiB },
    { file: `${name}/${name}_1.vmdk`, sizeBytes: 4 * MiB },
  ],
});

export const runA = '1f3a9c02-0000-4000-8000-00000000000a';
/** How a run asks for the power of a machine whose other side is off. */
export const powerOf = (name: string, run = runA) => ({ path: pathOf(name), run, otherSideOff: async () => undefined });
/** What a run writes on a machine when it returned the disks: the simulator's machines carry it from the start. */
export const returnedBy = (name: string, run = runA): Readonly<Record<string, string>> => ({
  'homeward.run': run,
  'homeward.path': pathOf(name),
  'homeward.state': 'returned',
  'homeward.way': 'in-place',
});
export const runB = '77b0d3e1-0000-4000-8000-00000000000b';

/** The request of one run for a machine made by `original`. */
export async function requestFor(
  target: VsphereTarget,
  name: string,
  write: WriteWay = 'in-place',
  run = runA,
): Promise<TargetRequest> {
  const { disks } = await target.observeMachine(pathOf(name), quietWork());
  const pairs = disks.map((disk, at): DiskPair => {
    const key = at === 0 ? 'os' : `data-${at - 1}`;
    const source = {
      disk: key,
      id: `/disks/${name}-${key}`,
      name: `${name}-${key}`,
      sizeBytes: disk.sizeBytes,
      sectorBytes: 512,
      identity: key,
      sku: 'Premium_LRS',
    };
    return { disk: key, source, target: disk };
  });
  return { path: pathOf(name), run, machine: name, write, pairs, mover: moverPath };
}
