/**
 * The last look: is everything as it must be when a run is over (S5 and S11)?
 * Rule: it compares with the worlds as they were before the run; whatever is there too much or too little is named.
 */
import { liesWith } from './memory.ts';
import { sourceVm, targetVm, type VsphereVm, type WatchedMachine, type WorldView } from './view.ts';

export type Ending = 'committed' | 'returned';

const moverDisks = (view: WorldView, movers: readonly string[]): readonly string[] =>
  view.vsphere.vms.filter((vm) => movers.includes(vm.name)).flatMap((vm) => vm.disks.map((disk) => disk.file));

/** S11: what a run makes for itself must be gone in any final state. */
function litter(baseline: WorldView, view: WorldView, machine: WatchedMachine): string[] {
  const mine = (name: string, tags: Readonly<Record<string, string>>): boolean =>
    [name, ...Object.values(tags)].some((word) => word.includes(machine.name) || machine.source.disks.includes(word));
  const had = new Set(baseline.azure.snapshots.map((each) => each.name));
  const snapshots = view.azure.snapshots.filter((each) => !had.has(each.name) && mine(each.name, each.tags));
  const collections = (view.azure.restorePointCollections ?? []).filter((each) => mine(each.name, each.tags));
  const own = moverDisks(baseline, machine.movers);
  const held = moverDisks(view, machine.movers).filter((file) => !own.includes(file) && liesWith(file, machine));
  const grants = view.azure.grants.filter((name) => mine(name, {}));
  return [
    ...snapshots.map((each) => `snapshot ${each.name} is left in Azure`),
    ...collections.map((each) => `restore point collection ${each.name} is left in Azure`),
    ...grants.map((name) => `a grant on ${name} is still active`),
    ...held.map((file) => `a mover still holds ${file}`),
  ];
}

function returned(baseline: WorldView, view: WorldView, machine: WatchedMachine): string[] {
  const found: string[] = [];
  const before = sourceVm(baseline, machine);
  const now = sourceVm(view, machine);
  if (now?.power !== before?.power)
    found.push(`${machine.source.vm} is ${now?.power ?? 'gone'}, it was ${before?.power ?? 'absent'}`);
  if (now !== undefined && before !== undefined && now.disks.join() !== before.disks.join())
    found.push(`${machine.source.vm} has the disks ${now.disks.join(', ')}, it had ${before.disks.join(', ')}`);
  for (const name of machine.source.disks)
    if (!view.azure.disks.includes(name)) found.push(`disk ${name} is gone from Azure`);
  for (const name of machine.source.nics)
    if (!view.azure.nics.includes(name)) found.push(`network interface ${name} is gone from Azure`);
  const target = targetVm(view, machine);
  const original = targetVm(baseline, machine);
  if (original === undefined && target !== undefined) found.push(`${machine.target} was made and is still there`);
  if (original !== undefined && target?.power !== 'off')
    found.push(`${machine.target} is ${target?.power ?? 'gone'}, it must be off`);
  const had = original?.disks.map((disk) => disk.file) ?? [];
  // In place, the disks hang on nothing afterwards; staged, the originals are back. Never anything else.
  for (const disk of target?.disks ?? [])
    if (!had.includes(disk.file)) found.push(`${machine.target} holds ${disk.file}, which is not its own`);
  return found;
}

/** What a commit must have removed from Azure. */
function leftInAzure(view: WorldView, machine: WatchedMachine): string[] {
  const { disks, nics } = machine.source;
  const left = [
    ...(sourceVm(view, machine) === undefined ? [] : [`virtual machine ${machine.source.vm}`]),
    ...disks.filter((name) => view.azure.disks.includes(name)).map((name) => `disk ${name}`),
    ...nics.filter((name) => view.azure.nics.includes(name)).map((name) => `network interface ${name}`),
  ];
  return left.map((what) => `${what} still exists in Azure`);
}

function notServing(view: WorldView, machine: WatchedMachine): string[] {
  const target: VsphereVm | undefined = targetVm(view, machine);
  if (target === undefined) return [`${machine.target} is gone`];
  const wanted = machine.source.disks.length;
  return [
    ...(target.power === 'on' ? [] : [`${machine.target} is ${target.power}, it must be on`]),
    ...(target.disks.length === wanted ? [] : [`${machine.target} has ${target.disks.length} disks, not ${wanted}`]),
  ];
}

/** What is wrong with a machine's final state, by promise; empty when all is well. */
export function endFindings(
  baseline: WorldView,
  view: WorldView,
  machine: WatchedMachine,
  expect: Ending,
): { invariant: string; seen: string }[] {
  const as = (invariant: string) => (seen: string) => ({ invariant, seen });
  const left = litter(baseline, view, machine).map(as('S11'));
  if (expect === 'returned') return [...returned(baseline, view, machine).map(as('S5')), ...left];
  return [...notServing(view, machine).map(as('L1')), ...leftInAzure(view, machine).map(as('S11')), ...left];
}
