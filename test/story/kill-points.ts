/**
 * Where a process is killed: for each phase a slow world that holds the run inside it, so that the kill lands there and
 * not near it; and what the worlds must have seen once, whatever was killed.
 * Rule: what is slowed down is a read or a running task, never a change on its way, which could land long after the kill.
 */
import { readFile } from 'node:fs/promises';
import { phaseKey } from '../../client/last-run.ts';
import { freshLayout, recordBytes, slotOffset } from '../../lab/guest/record.ts';
import type { LabDisk } from '../../lab/machines.ts';
import type { SeenEffect } from '../../lab/witness/witness.ts';
import type { Phase } from '../../model/phase.ts';
import { tell } from './both-worlds.ts';
import type { Run, Scene } from './scene.ts';

export const victims = ['control', 'mover', 'temporal'] as const;
export type Victim = (typeof victims)[number];

/** How long a slowed call takes: longer than it takes to see it and to kill, on a busy machine too. */
const delayMs = 8_000;
/** While Temporal is killed the slowed call goes on, so it is waited for. */
const shorterMs = 5_000;
const MiB = 1024 * 1024;

export interface Hold {
  readonly world: 'azure' | 'vcenter';
  /** A fault rule without its action. */
  readonly rule: object;
}

export interface KillPoint {
  readonly phase: Phase;
  /** Where the run must stand, quietly, before the world is slowed down; absent: before it begins. */
  readonly armedIn?: Phase;
  /** Seconds between rounds; an hour leaves the seed (point 1) and the final round (point 2) only. */
  readonly roundEvery: number;
  readonly hold: Readonly<Record<Victim, Hold>> | undefined;
}

const azure = (operation: string, resource = '', skip = 0): Hold => ({
  world: 'azure',
  rule: { operation, resource, skip },
});
/** Part of the name of the final snapshot of the data disk, when the seed is the only other round. */
const lastPoint = 'data-0-2';
/** What is withheld until then, which nothing but a seal reads: on both disks, before either writes it. */
const sealing: Hold = {
  world: 'azure',
  rule: { operation: 'blob.getRange', resource: '-2-final', range: 'bytes=0-', count: 2 },
};
const task = (method: string, skip = 0): Hold => ({ world: 'vcenter', rule: { method, skip, where: 'task' } });
const forAll = (hold: Hold): Record<Victim, Hold> => ({ control: hold, mover: hold, temporal: hold });
const hour = 3_600;

export const killPoints: readonly KillPoint[] = [
  {
    phase: 'Seeding',
    roundEvery: hour,
    hold: {
      // The second reconfiguration: the disks are being taken off the target.
      control: task('ReconfigVM_Task', 1),
      mover: azure('blob.getRange', '', 5),
      temporal: azure('blob.getRange', '', 5),
    },
  },
  {
    phase: 'Syncing',
    armedIn: 'Syncing',
    roundEvery: 0.5,
    hold: {
      control: azure('operations.get'),
      mover: azure('blob.pageListDiff'),
      temporal: azure('blob.pageListDiff'),
    },
  },
  // The source is being stopped, and nobody has been told that it was.
  {
    phase: 'StoppingSource',
    armedIn: 'Syncing',
    roundEvery: hour,
    hold: forAll(azure('operations.get')),
  },
  {
    phase: 'FinalSync',
    armedIn: 'Syncing',
    roundEvery: hour,
    hold: {
      // The snapshot has been taken, and nobody has been told.
      control: azure('snapshots.get', lastPoint, 1),
      mover: azure('blob.getRange', lastPoint),
      temporal: azure('blob.pageListDiff', lastPoint),
    },
  },
  {
    phase: 'Sealing',
    armedIn: 'Syncing',
    roundEvery: hour,
    hold: forAll(sealing),
  },
  // The sealed disks hang on their machine again, and the mark that says so is on its way.
  { phase: 'StartingTarget', armedIn: 'Syncing', roundEvery: hour, hold: forAll(task('ReconfigVM_Task', 2)) },
  { phase: 'StartingTarget', armedIn: 'Syncing', roundEvery: hour, hold: forAll(task('PowerOnVM_Task')) },
  { phase: 'AwaitingCommit', roundEvery: hour, hold: undefined },
  {
    phase: 'Committing',
    armedIn: 'AwaitingCommit',
    roundEvery: hour,
    hold: {
      // The machine and its NIC are gone, the disks are next.
      control: azure('disks.get', '', 8),
      mover: azure('virtualMachines.get', '', 2),
      // The disks have just been deleted, and nobody has been told.
      temporal: azure('disks.get', '', 10),
    },
  },
];

/** Slows one call down. Answers a wait for the moment when that call is on its way. */
export async function slowDown(scene: Scene, hold: Hold, victim: Victim): Promise<() => Promise<void>> {
  const wait = victim === 'temporal' ? shorterMs : delayMs;
  const more = hold.world === 'azure' ? { action: { delayMs: wait } } : { delayMs: wait };
  await scene.fault(hold.world, { ...hold.rule, ...more });
  return () => scene.untilMet(hold.world);
}

/** The phase as the server knows it; no worker need be alive to tell. */
export async function phaseOf(scene: Scene, run: Run): Promise<string | undefined> {
  const description = await scene.link.client.workflow.getHandle(run.id).describe();
  return description.typedSearchAttributes.get(phaseKey);
}

/** What must be done once to each thing: not settings, and not grants, which every attempt obtains for itself. */
const doneOnce = /deallocate|createOrUpdate|[dD]elete|powerO|attachDisk|detachDisk/;

const thing = ({ op, vm = '', file = '', resource = '' }: SeenEffect): string =>
  resource === '' ? `${op} ${vm} ${file}` : `${op} ${resource.split('/').slice(-2).join('/')}`;

/** How often the worlds saw each kind of change, and what was done twice to one thing. */
export function changes(effects: readonly SeenEffect[]): { counts: Record<string, number>; twice: string[] } {
  const counts: Record<string, number> = {};
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const effect of effects.filter((one) => doneOnce.test(one.op))) {
    counts[effect.op] = (counts[effect.op] ?? 0) + 1;
    const key = thing(effect);
    if (seen.has(key)) twice.push(key);
    seen.add(key);
  }
  return { counts, twice };
}

/** What one machine's way home consists of, when its seed and its final round are the only ones. */
export const oneWayHome: Readonly<Record<string, number>> = {
  'snapshots.createOrUpdate': 4,
  'snapshots.delete': 4,
  'virtualMachines.deallocate': 1,
  'virtualMachines.delete': 1,
  'networkInterfaces.delete': 1,
  'disks.delete': 2,
  detachDisk: 4,
  attachDisk: 4,
  powerOn: 1,
};

interface AuditLine {
  readonly operation: string;
  readonly resource: string;
  readonly status: number | 'dropped';
  readonly range?: string;
}

/** Bytes of a machine's disks that Azure sent, and how many of them it had sent before. */
export async function bytesSent(scene: Scene, machine: string): Promise<{ all: number; again: number }> {
  const lines = (await readFile(scene.lab.azure.audit, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  const ranges = new Map<string, [start: number, end: number][]>();
  for (const line of lines) {
    const { operation, resource, status, range = '' } = JSON.parse(line) as AuditLine;
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    if (operation !== 'blob.getRange' || status !== 206 || !resource.startsWith(`homeward-${machine}-`)) continue;
    ranges.set(resource, [...(ranges.get(resource) ?? []), [Number(from), Number(to) + 1]]);
  }
  let all = 0;
  let once = 0;
  for (const list of ranges.values()) {
    let reached = 0;
    for (const [start, end] of list.sort(([one], [other]) => one - other)) {
      all += end - start;
      once += Math.max(0, end - Math.max(start, reached));
      reached = Math.max(reached, end);
    }
  }
  return { all, again: all - once };
}

/** L2: what a kill may cost. */
export const oneWindow = 64 * MiB;

/** Writes between the records of an application's disk, so densely that every byte of it is worth sending. */
export async function fillBetweenRecords(
  { lab }: Pick<Scene, 'lab'>,
  { azureName, sizeBytes }: Pick<LabDisk, 'azureName' | 'sizeBytes'>,
): Promise<void> {
  const layout = freshLayout(sizeBytes);
  const write = async (slot: number): Promise<void> => {
    const offset = slotOffset(layout, slot) + recordBytes;
    const fill = { offset, length: layout.strideBytes - recordBytes, fill: 1 + (slot % 255) };
    await tell(`${lab.azure.control}/disks/${azureName}/write`, fill);
  };
  for (let slot = 0; slot < layout.slots; slot += 16)
    await Promise.all([0, 2, 4, 6, 8, 10, 12, 14].map((ahead) => slot + ahead).map(write));
}
