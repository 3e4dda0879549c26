/**
 * What the tests of an alternate location ask the simulator's vCenter for: the plan of a new machine, and its disks.
 * Rule: it is a plan like the one that model/creation.ts works out; each test changes what it is about.
 */
import type { NewMachine } from '../../model/creation.ts';
import type { DiskPair } from '../../model/machine.ts';
import type { TargetRequest } from '../../sites/target.ts';
import { MiB, moverPath, pathOf, runA } from './simulator.ts';

export const cluster = '/DC0/host/DC0_C0';

export const planOf = (change: Partial<NewMachine> = {}): NewMachine => ({
  compute: cluster,
  datastore: 'lab-ds',
  firmware: 'efi',
  controller: 'pvscsi',
  cpus: 2,
  memoryMiB: 1024,
  guestId: 'otherLinux64Guest',
  nics: [{ name: 'nic-0', network: 'VM Network', mac: '00:50:56:01:02:03' }],
  onNameClash: 'refuse',
  ...change,
});

export const pairsOf = (name: string, sizesBytes: readonly number[] = [8 * MiB, 4 * MiB]): DiskPair[] =>
  sizesBytes.map((sizeBytes, at) => {
    const disk = at === 0 ? 'os' : `data-${at - 1}`;
    const source = {
      ...{ disk, id: `/disks/${name}-${disk}`, name: `${name}-${disk}`, sizeBytes, sectorBytes: 512 },
      ...{ identity: disk, sku: 'Premium_LRS' },
    };
    const file = `[lab-ds] ${name}/${name}${at === 0 ? '' : `_${at}`}.vmdk`;
    return { disk, source, target: { slot: `1000:${at < 7 ? at : at + 1}`, file, sizeBytes, uuid: '' } };
  });

export const newPlaceRequest = (
  name: string,
  { run = runA, plan = planOf() }: { readonly run?: string; readonly plan?: NewMachine } = {},
): TargetRequest => ({
  ...{ path: pathOf(name), run, machine: name, write: 'created', pairs: pairsOf(name), mover: moverPath },
  machineToMake: plan,
});

export const madePower = (name: string, run = runA) => ({
  ...{ path: pathOf(name), run, made: true, otherSideOff: async () => undefined },
});
