/**
 * The lab's door into the simulator, on loopback: state, fault rules, settings, outside actors, and the test oracle.
 * Rule: nothing of it is part of Azure; Homeward never talks to it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { closest } from '../../config/closest.ts';
import { attachNewDisk, deleteWithDisks, detachAndDelete } from './attaching.ts';
import { type Bytes, diskDoor } from './disk-door.ts';
import type { Entra } from './entra.ts';
import { type FaultRule, type Faults, faultRule } from './faults.ts';
import type { Machine } from './resources.ts';
import type { World } from './world.ts';
import { settings } from './world-file.ts';

export interface ControlParts {
  readonly world: World;
  readonly entra: Entra;
  readonly faults: Faults;
  /** The names a fault rule may carry. */
  readonly operations: readonly string[];
}

export function startControl(parts: ControlParts): Server {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString('utf8');
    const body: unknown = text === '' ? {} : JSON.parse(text);
    const said = await act(parts, `${request.method} ${url.pathname}`, url, body);
    if (isBytes(said)) return await pipeline(said.bytes, response);
    response.writeHead(said === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(said ?? { error: `no such door: ${request.method} ${url.pathname}` }));
  };
  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: words(error) }));
    });
  });
}

function words(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}

const isBytes = (said: unknown): said is Bytes => typeof said === 'object' && said !== null && 'bytes' in said;

async function act(parts: ControlParts, door: string, url: URL, body: unknown): Promise<unknown> {
  const { world, entra, faults } = parts;
  const named = /^(\w+) \/disks\/([^/]+)\/([a-z0-9-]+)$/.exec(door);
  if (named) {
    const [, method = '', name = '', verb = ''] = named;
    return await diskDoor(world, `${method} ${verb}`, decodeURIComponent(name), url.searchParams.get('snapshot'), body);
  }
  const machine = /^POST \/vms\/([^/]+)\/power$/.exec(door)?.[1];
  if (machine) return await power(world, decodeURIComponent(machine), (body as { state: string }).state);
  const gone = /^DELETE \/vms\/([^/]+)$/.exec(door)?.[1];
  if (gone) return await deleteWithDisks(world, machineNamed(world, decodeURIComponent(gone)));
  const guest = /^POST \/vms\/([^/]+)\/windows$/.exec(door)?.[1];
  if (guest) return windows(machineNamed(world, decodeURIComponent(guest)), body);
  const busy = /^POST \/vms\/([^/]+)\/writes$/.exec(door)?.[1];
  if (busy) return writeMore(machineNamed(world, decodeURIComponent(busy)), body);
  const disks = /^(POST|DELETE) \/vms\/([^/]+)\/disks(?:\/([^/]+))?$/.exec(door);
  if (disks) {
    const [, method, vm = '', disk] = disks;
    const found = machineNamed(world, decodeURIComponent(vm));
    if (method === 'POST')
      return await attachNewDisk(world, found, z.object({ sizeBytes: z.int() }).parse(body).sizeBytes);
    return await detachAndDelete(world, found, decodeURIComponent(disk ?? ''));
  }
  const rule = /^DELETE \/rules\/([^/]+)$/.exec(door)?.[1];
  if (rule) return faults.remove(rule) ?? {};
  switch (door) {
    case 'GET /state':
      return stateOf(world);
    case 'GET /rules':
      return faults.list();
    case 'POST /rules':
      return { id: faults.add(ruleOf(body, parts.operations)) };
    case 'DELETE /rules':
      return faults.remove() ?? {};
    case 'POST /settings':
      return changeSettings(world, body as object);
    case 'POST /revoke-tokens':
      return entra.revokeAll() ?? {};
    case 'POST /expire-sas':
      return world.grants.expireAll() ?? {};
    default:
      return undefined;
  }
}

/** The machine is a Windows one from now on; answers how its VMware Tools start. `locked`: nobody can change that. */
function windows(machine: Machine, body: unknown): object {
  const { locked = machine.toolsLocked } = z.strictObject({ locked: z.boolean().optional() }).parse(body);
  const { toolsStart } = Object.assign(machine, { osType: 'Windows', toolsLocked: locked });
  return { toolsStart };
}

/** A job in its guest writes so many bytes a second more, until it is told otherwise or the machine is off. */
function writeMore({ name, guest }: Machine, body: unknown): object {
  const { bytesPerSecond } = z.strictObject({ bytesPerSecond: z.number().min(0) }).parse(body);
  if (!guest) throw new Error(`${name} does not run`);
  guest.writeMore(bytesPerSecond);
  return {};
}

/** A rule that can never fire is refused: whoever sets it believes in it. */
function ruleOf(body: unknown, operations: readonly string[]): FaultRule {
  const rule = faultRule.parse(body);
  if (operations.includes(rule.operation)) return rule;
  const near = closest(rule.operation, operations);
  const meant = near ? ` Did you mean "${near}"?` : '';
  throw new Error(
    `no operation is called "${rule.operation}".${meant} There are: ${[...operations].sort().join(', ')}`,
  );
}

/** Changes what is named and nothing else: a shape with defaults would fill in the rest. */
function changeSettings(world: World, wanted: object): object {
  const all = settings.parse({ ...world.settings, ...wanted });
  return Object.assign(world.settings, all);
}

function stateOf(world: World): object {
  const { grants } = world;
  return {
    vms: [...world.machines.values()].map((one) => ({
      name: one.name,
      resourceGroup: one.resourceGroup,
      power: one.power,
      disks: world.disksOf(one).map((disk) => disk.name),
      guest: one.guest
        ? { booted: one.guest.booted, reason: one.guest.reason, written: one.guest.written() }
        : undefined,
    })),
    disks: [...world.disks.values()].map((one) => ({
      name: one.name,
      sizeBytes: one.data.sizeBytes,
      state: world.diskState(one),
      path: one.data.path,
      activeSas: grants.liveOn(`disk/${one.uniqueId}`) !== undefined,
    })),
    snapshots: [...world.snapshots.values()].map((one) => ({
      name: one.name,
      source: one.source.name,
      tags: one.tags,
      state: one.state,
      sizeBytes: one.source.data.snapshotSize(one.uniqueId),
      activeSas: grants.liveOn(`snapshot/${one.uniqueId}`) !== undefined,
    })),
    nics: [...world.nics.values()].map(({ name }) => ({ name })),
    restorePointCollections: [...world.restorePoints.collections.values()].map((one) => ({
      name: one.name,
      tags: one.tags,
      points: [...one.points.values()].map(({ name, state, consistencyMode, newestRecord, disks }) => ({
        ...{ name, state, consistencyMode, newestRecord },
        disks: disks.map((disk) => ({
          ...{ name: disk.name, source: disk.disk.name },
          activeSas: grants.liveOn(`diskRestorePoint/${disk.uniqueId}`) !== undefined,
        })),
      })),
    })),
  };
}

/** Somebody presses a button in the portal. */
async function power(world: World, name: string, state: string): Promise<object> {
  const machine = machineNamed(world, name);
  if (state === 'running') await world.powerOn(machine);
  else await world.powerOff(machine, state === 'stopped' ? 'stopped' : 'deallocated');
  return { power: machine.power };
}

function machineNamed(world: World, name: string): Machine {
  const machine = [...world.machines.values()].find((one) => one.name === name);
  if (!machine) throw new Error(`no VM is called ${name}`);
  return machine;
}
