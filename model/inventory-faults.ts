/**
 * What no part of an inventory can see by itself: names that nobody defined, paths of the wrong kind, shared machines,
 * rounds that Azure refuses.
 * Rule: each fault names the keys of the value that is wrong, so that the person who wrote it finds it.
 */
import { groupFaults } from './group.ts';
import type { AzureSiteConfig, Inventory, MachineConfig, Site } from './inventory.ts';
import { locationFaults } from './location-faults.ts';

export interface InventoryFault {
  /** Path of keys to the offending value. */
  readonly at: readonly string[];
  readonly message: string;
}

/** The references between parts that do not hold: a machine's site, mover or policy that nobody defined. */
export function danglingReferences(parsed: Inventory): InventoryFault[] {
  const found: InventoryFault[] = [];
  const need = (at: string[], known: object, value: string, what: string): boolean => {
    if (Object.hasOwn(known, value)) return true;
    const names = Object.keys(known).join(', ') || 'none is defined';
    found.push({ at, message: `no ${what} is called "${value}" (known: ${names})` });
    return false;
  };
  for (const [key, entry] of Object.entries(parsed.movers))
    need(['movers', key, 'site'], parsed.sites, entry.site, 'site');
  for (const [key, entry] of Object.entries(parsed.machines)) {
    need(['machines', key, 'source', 'site'], parsed.sites, entry.source.site, 'site');
    need(['machines', key, 'target', 'site'], parsed.sites, entry.target.site, 'site');
    if (entry.policy !== 'default') need(['machines', key, 'policy'], parsed.policies, entry.policy, 'policy');
    if (!need(['machines', key, 'mover'], parsed.movers, entry.mover, 'mover')) continue;
    if (parsed.movers[entry.mover]?.site !== entry.target.site)
      found.push({
        at: ['machines', key, 'mover'],
        message: `mover "${entry.mover}" stands at another site than the target`,
      });
  }
  return found;
}

/** One spelling of an address: Azure's names know no case; a vSphere path may be written with slashes around it. */
function spelled(parsed: Inventory, { site: at, path }: MachineConfig['source']): string {
  const plain = path.replace(/^\/+|\/+$/g, '');
  return `${at} ${parsed.sites[at]?.kind === 'azure' ? plain.toLowerCase() : plain}`;
}

const isAzureItself = ({ endpoint = 'https://management.azure.com' }: Partial<AzureSiteConfig>): boolean =>
  /^https:\/\/management\.azure\.com(:443)?(\/|$)/i.test(endpoint);

/** Seven snapshots of a disk in five minutes are one in 43 seconds; a little air for the snapshot's own time. */
const azureRoundSeconds = 45;

/** Why rounds of a source of this site cannot follow each other so fast; undefined when they can. */
export function roundsTooFast(from: Site | undefined, seconds: number | undefined): string | undefined {
  const fast =
    from?.kind === 'azure' && isAzureItself(from) && typeof seconds === 'number' && seconds < azureRoundSeconds;
  return fast
    ? `must be ${azureRoundSeconds} or more: Azure takes at most 7 snapshots of a disk in 5 minutes`
    : undefined;
}

/** How a path must look in each kind of site, in words and as a pattern. */
const pathShapes: Readonly<Record<Site['kind'], { readonly words: string; readonly fits: RegExp }>> = {
  azure: { words: 'in Azure a path is <resource group>/<machine>', fits: /^[^/]+\/[^/]+$/ },
  vsphere: {
    words: 'in vSphere a path is /<datacenter>/vm/<folders>/<machine>',
    fits: /^\/*[^/]+\/vm\/(.*[^/])\/*$/,
  },
};

/** A path that is none in sites of its kind. */
function shapeFault(at: readonly string[], kind: Site['kind'], path: string): InventoryFault[] {
  const { fits, words } = pathShapes[kind];
  return fits.test(path) ? [] : [{ at, message: words }];
}

/** A side of a machine whose site is of the wrong kind, or whose path is none of that kind. */
function misplaced(parsed: Inventory, machine: string, side: 'source' | 'target'): InventoryFault[] {
  const { site: at, path } = (parsed.machines[machine] as MachineConfig)[side];
  const kind = parsed.sites[at]?.kind;
  const wanted = side === 'source' ? 'azure' : 'vsphere';
  if (kind !== 'azure' && kind !== 'vsphere') return [];
  if (kind !== wanted)
    return [
      {
        at: ['machines', machine, side, 'site'],
        message: `"${at}" is of kind ${kind}; the ${side} must be of kind ${wanted}`,
      },
    ];
  return shapeFault(['machines', machine, side, 'path'], kind, path);
}

/** A mover's VM that is no path, that another mover has, or that is to come home itself: its disks would hang on itself. */
function moverFaults(parsed: Inventory): InventoryFault[] {
  const taken = new Map<string, string>();
  const found = Object.entries(parsed.movers).flatMap(([key, { site, vm }]) => {
    if (typeof vm !== 'string') return [];
    const at = ['movers', key, 'vm'];
    const address = spelled(parsed, { site, path: vm });
    const other = taken.get(address);
    taken.set(address, key);
    if (other !== undefined)
      return [{ at, message: `mover "${other}" is this machine already; a mover has one of its own` }];
    return parsed.sites[site]?.kind === 'vsphere' ? shapeFault(at, 'vsphere', vm) : [];
  });
  const homecoming = Object.entries(parsed.machines).flatMap(([key, { target }]) => {
    const mover = taken.get(spelled(parsed, target));
    const message = `this is the machine of mover "${mover}", which cannot write its own disks`;
    return mover === undefined ? [] : [{ at: ['machines', key, 'target', 'path'], message }];
  });
  return [...found, ...homecoming];
}

/** A file that two disks of the inventory are to come home to; each would overwrite the other. */
function sharedFiles({ machines }: Inventory): InventoryFault[] {
  const taken = new Map<string, string>();
  return Object.entries(machines).flatMap(([key, { target, disks }]) =>
    Object.entries(disks ?? {}).flatMap(([disk, file]) => {
      const address = `${target.site} ${String(file).trim()}`;
      const other = taken.get(address);
      if (other === undefined) taken.set(address, `${disk} of ${key}`);
      const message = `${other} comes home to this file already; each disk needs one of its own`;
      return other === undefined ? [] : [{ at: ['machines', key, 'disks', disk], message }];
    }),
  );
}

/** What each part may say by itself but not together: shared machines, sites of the wrong kind, rounds that Azure refuses. */
export function contradictions(parsed: Inventory): InventoryFault[] {
  const found: InventoryFault[] = [];
  const taken = new Map<string, string>();
  for (const [key, entry] of Object.entries(parsed.machines)) {
    for (const side of ['source', 'target'] as const) {
      const address = spelled(parsed, entry[side]);
      const other = taken.get(`${side} ${address}`);
      if (other === undefined) taken.set(`${side} ${address}`, key);
      else
        found.push({
          at: ['machines', key, side, 'path'],
          message: `machine "${other}" has this ${side} already; two failbacks would write the same machine`,
        });
      found.push(...misplaced(parsed, key, side));
    }
    const there = parsed.sites[entry.target.site];
    found.push(...locationFaults(key, entry, there?.kind === 'vsphere' ? there.datacenter : undefined));
    const tooFast = roundsTooFast(parsed.sites[entry.source.site], parsed.policies[entry.policy]?.roundEverySeconds);
    if (tooFast !== undefined) found.push({ at: ['policies', entry.policy, 'roundEverySeconds'], message: tooFast });
  }
  found.push(...moverFaults(parsed), ...sharedFiles(parsed), ...groupFaults(parsed.machines));
  return found;
}
