/**
 * Asks a vCenter everything that could stop a machine from being made at an alternate location, and answers named checks.
 * Rule: all of it is asked in one go, so that a person fixes it at once; what a failed check hides is not asked at all.
 * Changes nothing.
 */
import { bytes as amount } from '../../model/amount.ts';
import type { Check } from '../../model/check.ts';
import type { NewMachine } from '../../model/creation.ts';
import type { Work } from '../source.ts';
import type { MoverPreflight, NewPlacePreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import { type Compute, findCompute, hostWrong } from './compute.ts';
import { findByPath, findMachine, type Machine, type Vcenter } from './inventory.ts';
import { readHost } from './machine-shape.ts';
import { chooseHost, findCreated, folderOf } from './new-machine.ts';
import { reach } from './preflight.ts';
import { arrivalChecks, newArrivalChecks } from './preflight-arrival.ts';
import { largestDiskBytes, largestDiskCheck } from './preflight-disk-size.ts';
import { hostCheck, vcenterClockCheck } from './preflight-hosts.ts';
import { moverChecks } from './preflight-machines.ts';
import { identityChecks, nameCheck } from './preflight-new-identity.ts';
import {
  askRights,
  type Datastore,
  forNewFiles,
  mountOn,
  mountWrong,
  moverMountCheck,
  onDatastore,
  onMover,
  onTarget,
  type RightsQuestion,
  readDatastores,
} from './preflight-surroundings.ts';
import type { Ref } from './wire/shapes.ts';

export async function preflightNewPlace(at: Vcenter, request: NewPlacePreflight, work: Work): Promise<Check[]> {
  const checks = await reach(at, work);
  if (checks.some((one) => one.verdict === 'refuse')) return checks;
  const { machine: plan, path } = request;
  const mover = await findMachine(at, request.mover, work);
  const sizes = request.pairs.map((pair) => pair.source.sizeBytes);
  checks.push(...moverChecks({ mover: request.mover, diskSizesBytes: sizes }, mover, undefined));
  if (mover) checks.push(hostCheck('mover', mover, await readHost(at, mover, work)));
  checks.push(await vcenterClockCheck(at, work), ...sizeChecks(request));
  const folder = await findByPath(at, folderOf(path), work);
  const compute = await findCompute(at, plan.compute, work);
  checks.push(folderCheck(path, folder), ...computeChecks(request, compute));
  const own = request.run === undefined ? undefined : await findCreated(at, { path, run: request.run }, work);
  if (folder?.type === 'Folder') checks.push(await nameCheck(at, request, own, work));
  checks.push(...(await identityChecks(at, request, own, work)));
  if (!compute) return checks;
  const host = await likelyHost(at, compute, plan, work);
  const [store] = await readDatastores(at, new Set([plan.datastore]), host, work);
  checks.push(...storeChecks(request, compute, store, mover));
  const questions = rightsQuestions(request, { folder, compute, store, mover });
  checks.push(...(await askRights(at, questions, work)));
  if (folder?.type !== 'Folder') return checks;
  // The machine will inherit the rights of its folder.
  const seen = { folder: { path: folderOf(path), ref: folder }, host: withNetworks(compute, host) };
  return [...checks, ...(await newArrivalChecks(at, request, seen, work))];
}

/** Where it will be made; when no host has all it needs, the one whose lack is to be told. */
async function likelyHost(at: Vcenter, compute: Compute, plan: NewMachine, work: Work): Promise<Ref | undefined> {
  const { prove, ...unproven } = plan;
  return (
    (await chooseHost(at, compute, plan, work)) ??
    (prove && (await chooseHost(at, compute, unproven, work))) ??
    compute.hosts[0]?.ref
  );
}

function withNetworks({ hosts, networks }: Compute, ref: Ref | undefined) {
  const host = hosts.find((one) => one.ref.value === ref?.value);
  return (
    host && {
      name: host.name,
      networks: [...networks].flatMap(([name, each]) => (host.networks.includes(name) ? [{ name, ref: each }] : [])),
    }
  );
}

/** A mover that is to carry disks which are there already: is it there and ready, and does it see their datastores? */
export async function preflightMover(at: Vcenter, request: MoverPreflight, work: Work): Promise<Check[]> {
  const checks = await reach(at, work);
  if (checks.some((one) => one.verdict === 'refuse')) return checks;
  const mover = await findMachine(at, request.mover, work);
  checks.push(...moverChecks(request, mover, undefined));
  if (!mover) return checks;
  const stores = await readDatastores(at, new Set(request.datastores), mover.host, work);
  for (const name of request.datastores)
    checks.push(
      moverMountCheck(
        stores.find((store) => store.name === name),
        name,
        mover,
      ),
    );
  checks.push(...(await askRights(at, [[mover.path, mover.ref, onMover]], work)));
  const made = request.made && (await findCreated(at, request.made, work));
  if (!request.made || !made) return checks;
  const seen = { target: made, host: await readHost(at, made, work) };
  return [...checks, ...(await arrivalChecks(at, request.made, seen, work))];
}

const folderCheck = (path: string, folder: Ref | undefined): Check =>
  check({
    id: 'new-folder-found',
    requirement: 'S000-10',
    subject: folderOf(path),
    wrong: folder?.type === 'Folder' ? undefined : `no folder for machines stands at ${folderOf(path)}`,
    right: 'the folder exists',
    remedy: 'Make the folder in vCenter, or correct target.path: /<datacenter>/vm/<folders>/<machine>.',
  });

function computeChecks({ machine }: NewPlacePreflight, compute: Compute | undefined): Check[] {
  const { compute: path, nics } = machine;
  const found = check({
    id: 'new-compute-found',
    requirement: 'S000-10',
    subject: path,
    wrong: compute ? undefined : `no host, cluster or resource pool stands at ${path}`,
    right: 'it exists',
    remedy:
      'Correct create.host (/<datacenter>/host/<cluster>/<host>), create.cluster or create.resourcePool (…/Resources/<pool>).',
  });
  if (!compute) return [found];
  const names = [...new Set(nics.map((nic) => nic.network))];
  // A network that is missing has a check of its own.
  const needs = { ...machine, networks: [] };
  const usable = compute.hosts.filter((host) => hostWrong(host, needs) === undefined);
  const ready = check({
    id: 'new-host-ready',
    subject: path,
    wrong:
      usable.length > 0
        ? undefined
        : compute.hosts.map((host) => hostWrong(host, needs)).join('; ') || 'it has no host',
    right: `ready: ${usable.map((host) => host.name).join(', ')}`,
    remedy:
      'Connect a host again or take it out of maintenance, write fewer create.cpus or less create.memoryMiB, or name another place under create.',
  });
  return [found, ready, ...names.map((name) => networkCheck(compute, name))];
}

function networkCheck(compute: Compute, name: string): Check {
  const known = compute.networks.get(name);
  const plain = known && ['Network', 'DistributedVirtualPortgroup'].includes(known.type);
  const wrong = !known ? `no host there has a network called ${name}` : `${name} is of the kind ${known.type}`;
  return check({
    id: 'new-network-found',
    subject: name,
    wrong: plain ? undefined : wrong,
    right: `${compute.hosts.filter((host) => host.networks.includes(name)).length} of ${compute.hosts.length} hosts have it`,
    remedy: `Name a standard or distributed port group of these hosts under create.network or create.networks; they have: ${[...compute.networks.keys()].join(', ') || 'none'}.`,
  });
}

/** A source disk that no virtual disk of ours could hold, by name. */
function sizeChecks({ pairs, path }: NewPlacePreflight): Check[] {
  const wrong = pairs.flatMap(({ source: { name, sizeBytes } }) => {
    if (sizeBytes > largestDiskBytes)
      return [`${name} has ${sizeBytes} bytes, a virtual disk at most ${largestDiskBytes}`];
    return sizeBytes % 1024 === 0 ? [] : [`${name} has ${sizeBytes} bytes, and vSphere counts in KiB`];
  });
  return [
    check({
      id: 'new-disk-size',
      subject: path,
      wrong: wrong.length > 0 ? wrong.join('; ') : undefined,
      right: 'every disk is of a size that a virtual disk can have',
      remedy: 'Split the disk inside the source onto smaller ones (at most 62 TiB each, a multiple of 1 MiB).',
    }),
  ];
}

function storeChecks(
  { machine, pairs }: NewPlacePreflight,
  compute: Compute,
  store: Datastore | undefined,
  mover: Machine | undefined,
): Check[] {
  const name = machine.datastore;
  const seeing = compute.hosts.filter((host) => store && mountOn(store, host.ref));
  const wrongs = (seeing.length > 0 ? seeing : compute.hosts).map((host) =>
    mountWrong(store, name, host.name, { host: host.ref }),
  );
  const mounted = check({
    id: 'datastore-on-new-host',
    requirement: 'S000-10',
    subject: name,
    wrong: wrongs.includes(undefined) ? undefined : (wrongs[0] ?? `no host could see ${name}`),
    right: `${name} is mounted read/write where the machine will run`,
    remedy: 'Mount the datastore read/write on these hosts, or name one that they have under create.datastore.',
  });
  // Those that no virtual disk of vSphere could hold are told by new-disk-size.
  const disks = pairs
    .map(({ source: { name: disk, sizeBytes } }) => ({ name: disk, sizeBytes }))
    .filter(({ sizeBytes }) => sizeBytes <= largestDiskBytes);
  const largest = (seen: Datastore): Check => largestDiskCheck(seen, disks);
  const needed = pairs.reduce((sum, pair) => sum + pair.source.sizeBytes, 0);
  const free = store?.freeBytes ?? 0;
  const space = check({
    id: 'datastore-free-space',
    requirement: 'S000-24',
    subject: name,
    wrong: free >= needed ? undefined : `${amount(free)} free, ${amount(needed)} needed`,
    right: `${amount(free)} free, ${amount(needed)} needed`,
    remedy: 'Make room on the datastore, or name another one under create.datastore.',
  });
  return [mounted, ...(mover ? [moverMountCheck(store, name, mover)] : []), ...(store ? [space, largest(store)] : [])];
}

/** For a machine that does not exist yet its folder is asked, whose rights it will inherit. */
const onFolder = [...onTarget, 'VirtualMachine.Inventory.Create', 'VirtualMachine.Inventory.Delete'];

function rightsQuestions(
  { path, machine }: NewPlacePreflight,
  seen: {
    readonly folder: Ref | undefined;
    readonly compute: Compute;
    readonly store: Datastore | undefined;
    readonly mover: Machine | undefined;
  },
): RightsQuestion[] {
  const { folder, compute, store, mover } = seen;
  const networks = [...new Set(machine.nics.map((nic) => nic.network))];
  return [
    ...(folder?.type === 'Folder' ? [[folderOf(path), folder, onFolder] as const] : []),
    [machine.compute, compute.pool, ['Resource.AssignVMToPool']],
    ...networks.flatMap((name): RightsQuestion[] => {
      const ref = compute.networks.get(name);
      return ref ? [[name, ref, ['Network.Assign']]] : [];
    }),
    ...(store ? [[store.name, store.ref, [...onDatastore, ...forNewFiles]] as const] : []),
    ...(mover ? [[mover.path, mover.ref, onMover] as const] : []),
  ];
}
