/**
 * The checks around the machines: datastores as the mover's host sees them, free space, and the account's privileges.
 * Rule: privileges are asked for one object at a time, because a role may hold on one and not on another.
 */
import { bytes as amount } from '../../model/amount.ts';
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import { parseDatastorePath } from './devices.ts';
import type { Machine, Vcenter } from './inventory.ts';
import { largestDiskCheck, type NewDisk } from './preflight-disk-size.ts';
import { disksInOrder } from './preflight-machines.ts';
import { readAll } from './properties.ts';
import { required } from './session.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface Datastore {
  readonly ref: Ref;
  readonly name: string;
  readonly freeBytes: number;
  /** The largest virtual disk that can be made there; undefined when vCenter does not say. */
  readonly largestDiskBytes: number | undefined;
  readonly accessible: boolean;
  /** `normal`, or on the way into maintenance or in it. */
  readonly maintenance: string;
  readonly mounts: readonly Vim<'DatastoreHostMount'>[];
}

export const mountOn = (store: Datastore, host: Ref | undefined): Vim<'HostMountInfo'> | undefined =>
  store.mounts.find((mount) => host !== undefined && mount.key?.value === host.value)?.mountInfo;

const datastorePaths = [
  'name',
  'summary.freeSpace',
  'summary.accessible',
  'summary.maintenanceMode',
  'host',
  'info.maxVirtualDiskCapacity',
];

/** As the API reference has `DatastoreInfo.maxVirtualDiskCapacity`: it differs by the kind and version of the datastore. */
function largestDisk(said: unknown): number | undefined {
  const bytes = Number(said ?? 0);
  return bytes > 0 ? bytes : undefined;
}

/** Names are unique within a datacenter only: of two equal ones, the one that the host sees is meant. */
export async function readDatastores(
  at: Vcenter,
  names: ReadonlySet<string>,
  host: Ref | undefined,
  work: Work,
): Promise<Datastore[]> {
  const all = (await readAll(at.session, 'Datastore', datastorePaths, work)).map(
    ({ ref, values }): Datastore => ({
      ref,
      name: String(values.get('name') ?? ''),
      freeBytes: Number(values.get('summary.freeSpace') ?? 0),
      largestDiskBytes: largestDisk(values.get('info.maxVirtualDiskCapacity')),
      accessible: values.get('summary.accessible') !== false,
      maintenance: String(values.get('summary.maintenanceMode') ?? 'normal'),
      mounts: (values.get('host') as readonly Vim<'DatastoreHostMount'>[] | undefined) ?? [],
    }),
  );
  return [...names].flatMap((name) => {
    const same = all.filter((store) => store.name === name);
    const chosen = same.find((store) => mountOn(store, host)) ?? same[0];
    return chosen ? [chosen] : [];
  });
}

/** Why disks on it cannot be used from the host of `machine`; undefined when they can. `whose`: the mover’s, the target’s. */
export function mountWrong(
  store: Datastore | undefined,
  name: string,
  whose: string,
  { host }: Pick<Machine, 'host'>,
): string | undefined {
  if (!store) return `this account does not see the datastore ${name}`;
  if (!store.accessible) return `vCenter says that ${name} is not accessible`;
  if (store.maintenance !== 'normal') return `${name} is in maintenance (${store.maintenance})`;
  const mount = mountOn(store, host);
  if (!mount) return `${name} is not mounted on the ${whose} host`;
  if (mount.mounted === false || mount.accessible === false) return `${name} cannot be reached from the ${whose} host`;
  return mount.accessMode === 'readWrite'
    ? undefined
    : `${name} is mounted ${mount.accessMode ?? 'in an unknown way'} on the ${whose} host`;
}

/** S000-23: the mover writes there. */
export const moverMountCheck = (store: Datastore | undefined, name: string, mover: Machine): Check =>
  check({
    id: 'datastore-on-mover-host',
    requirement: 'S000-23',
    subject: name,
    wrong: mountWrong(store, name, 'mover’s', mover),
    right: `${name} is mounted read/write on the mover’s host`,
    remedy: 'Mount the datastore read/write on the host the mover runs on, or move the mover to a host that has it.',
  });

/** S000-10: the machine is started from there. */
export const targetMountCheck = (store: Datastore | undefined, name: string, target: Machine): Check =>
  check({
    id: 'datastore-on-target-host',
    requirement: 'S000-10',
    subject: name,
    wrong: mountWrong(store, name, 'target’s', target),
    right: `${name} is mounted read/write on the target’s host`,
    remedy: 'Mount the datastore read/write on the host of the target, or move the target to a host that has it.',
  });

/** `bytes`: of the disks that are still to be made there. */
export const freeSpaceCheck = (store: Datastore, bytes: number): Check =>
  check({
    id: 'datastore-free-space',
    subject: store.name,
    wrong: store.freeBytes >= bytes ? undefined : `${amount(store.freeBytes)} free, ${amount(bytes)} needed`,
    right: `${amount(store.freeBytes)} free, ${amount(bytes)} needed`,
    remedy: 'Make room on the datastore, or choose write: in-place, which needs none.',
  });

/** Thin disks take their room only as they are written; what they have already is theirs. */
export const growthCheck = (store: Datastore, bytes: number): Check =>
  check({
    id: 'datastore-room-to-grow',
    subject: store.name,
    wrong:
      store.freeBytes >= bytes
        ? undefined
        : `${amount(store.freeBytes)} free, the thin disks may grow by ${amount(bytes)}`,
    right: `${amount(store.freeBytes)} free, the thin disks may grow by ${amount(bytes)}`,
    remedy: 'Make room on the datastore: a full one stops the copy in the middle, and other machines with it.',
    verdict: 'warn',
  });

interface Places {
  readonly target: Machine;
  readonly mover: Machine;
  /** By a datastore's reference: what the target's thin disks may still need. */
  readonly growthBytes: ReadonlyMap<string, number>;
}

export async function datastoreChecks(
  at: Vcenter,
  request: TargetPreflight,
  { target, mover, growthBytes }: Places,
  work: Work,
): Promise<{ readonly checks: Check[]; readonly datastores: readonly Datastore[] }> {
  const made = request.run !== undefined && target.mark?.run === request.run;
  const needed = new Map<string, number>();
  const newDisks = new Map<string, NewDisk[]>();
  for (const [index, disk] of disksInOrder(target).entries()) {
    const name = parseDatastorePath(disk.file)?.datastore;
    const sizeBytes = request.diskSizesBytes[index] ?? 0;
    const bytes = made ? 0 : sizeBytes;
    if (name === undefined) continue;
    needed.set(name, (needed.get(name) ?? 0) + bytes);
    newDisks.set(name, [...(newDisks.get(name) ?? []), { name: `the one beside ${disk.file}`, sizeBytes }]);
  }
  const datastores = await readDatastores(at, new Set(needed.keys()), target.host, work);
  const checks = [...needed].flatMap(([name, bytes]) => {
    const store = datastores.find((one) => one.name === name);
    const mounts = [moverMountCheck(store, name, mover), targetMountCheck(store, name, target)];
    if (!store) return mounts;
    if (request.write === 'staged')
      return [...mounts, freeSpaceCheck(store, bytes), largestDiskCheck(store, newDisks.get(name) ?? [])];
    return [...mounts, growthCheck(store, growthBytes.get(store.ref.value) ?? 0)];
  });
  return { checks, datastores };
}

export const onTarget = [
  'System.Read',
  'VirtualMachine.Config.AddExistingDisk',
  'VirtualMachine.Config.RemoveDisk',
  'VirtualMachine.Config.AdvancedConfig',
  'VirtualMachine.Interact.PowerOn',
  'VirtualMachine.Interact.PowerOff',
];
export const onMover = ['System.Read', 'VirtualMachine.Config.AddExistingDisk', 'VirtualMachine.Config.RemoveDisk'];
export const onDatastore = ['Datastore.Browse', 'Datastore.AllocateSpace'];
export const forNewFiles = ['Datastore.FileManagement'];

async function missingOn(at: Vcenter, entity: Ref, wanted: readonly string[], work: Work): Promise<string[]> {
  const authorization = required((await at.session.content(work)).authorizationManager, 'authorization manager');
  const sessionId = await at.session.key(work);
  const answer = await at.session.call(
    'HasPrivilegeOnEntities',
    authorization,
    { entity: [entity], sessionId, privId: wanted },
    work,
  );
  const granted = new Set(
    answer.flatMap((one) => (one.privAvailability ?? []).filter((each) => each.isGranted).map((each) => each.privId)),
  );
  // What the answer does not mention is not granted.
  return wanted.filter((privilege) => !granted.has(privilege));
}

export async function privilegeChecks(
  at: Vcenter,
  request: TargetPreflight,
  machines: readonly [target: Machine, mover: Machine],
  datastores: readonly Datastore[],
  work: Work,
): Promise<Check[]> {
  const [target, mover] = machines;
  const storeRights = request.write === 'staged' ? [...onDatastore, ...forNewFiles] : onDatastore;
  return askRights(
    at,
    [
      [target.path, target.ref, onTarget],
      [mover.path, mover.ref, onMover],
      ...datastores.map((store): RightsQuestion => [store.name, store.ref, storeRights]),
    ],
    work,
  );
}

export type RightsQuestion = readonly [subject: string, entity: Ref, wanted: readonly string[]];

/** One check an object. */
export async function askRights(at: Vcenter, questions: readonly RightsQuestion[], work: Work): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [subject, entity, wanted] of questions) {
    const missing = await missingOn(at, entity, wanted, work);
    checks.push(
      check({
        id: 'vcenter-privileges',
        requirement: 'S000-8',
        subject,
        wrong: missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`,
        right: 'all privileges needed are there',
        remedy:
          'Add the missing privileges to the account’s role on this object (with propagation from the datacenter), then check again.',
      }),
    );
  }
  return checks;
}
