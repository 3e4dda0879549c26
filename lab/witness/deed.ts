/**
 * Reads an effect: what was done, to which kind of thing, by which name.
 * Rule: every effect gets a deed; an operation nobody has a word for is `other`, never guessed to be harmless
 * where it deletes (anything that says delete, destroy or remove is a deletion).
 */
import type { Effect } from './view.ts';

export type Verb = 'start' | 'stop' | 'deallocate' | 'create' | 'delete' | 'attach' | 'detach' | 'other';
export type Kind = 'source-vm' | 'source-disk' | 'nic' | 'snapshot' | 'target-vm' | 'target-disk' | 'other';

export interface Deed {
  readonly verb: Verb;
  readonly kind: Kind;
  /** Name of the resource, of the virtual machine, or the datastore path of a disk. */
  readonly name: string;
  /** vSphere: the machine a disk was attached to or taken from. */
  readonly vm?: string | undefined;
}

const vsphereDeeds: Readonly<Record<string, readonly [Verb, Kind]>> = {
  powerOn: ['start', 'target-vm'],
  powerOff: ['stop', 'target-vm'],
  shutdownGuest: ['stop', 'target-vm'],
  suspend: ['stop', 'target-vm'],
  createVm: ['create', 'target-vm'],
  destroyVm: ['delete', 'target-vm'],
  unregisterVm: ['delete', 'target-vm'],
  attachDisk: ['attach', 'target-disk'],
  detachDisk: ['detach', 'target-disk'],
  createDisk: ['create', 'target-disk'],
  deleteDisk: ['delete', 'target-disk'],
};

/** Words in an Azure operation's name, the first that fits counts: `beginDelete`, `virtualMachines/start`. */
const azureVerbs: readonly (readonly [RegExp, Verb])[] = [
  [/dealloc/i, 'deallocate'],
  [/delete|remove|destroy/i, 'delete'],
  [/access|grant|revoke/i, 'other'],
  [/start/i, 'start'],
  [/poweroff|stop/i, 'stop'],
  [/create|put/i, 'create'],
];

const azureKinds: readonly (readonly [RegExp, Kind])[] = [
  [/runCommand/i, 'other'],
  [/snapshot|restorePoint/i, 'snapshot'],
  [/networkInterface|nic\b/i, 'nic'],
  [/virtualMachine|\bvm/i, 'source-vm'],
  [/disk/i, 'source-disk'],
];

export function deedOf(effect: Effect): Deed {
  if (effect.world === 'vsphere') {
    const [verb, kind] = vsphereDeeds[effect.op] ?? [
      /delete|destroy|remove/i.test(effect.op) ? 'delete' : 'other',
      'other',
    ];
    return { verb, kind, name: (kind === 'target-disk' ? effect.file : effect.vm) ?? '', vm: effect.vm };
  }
  const resource = effect.resource ?? effect.vm ?? '';
  // The type stands right before the name: …/providers/Microsoft.Compute/disks/erp-db-os
  const [type = '', name = ''] = resource.split('/').filter(Boolean).slice(-2);
  const words = name === '' ? effect.op : type;
  return {
    verb: azureVerbs.find(([pattern]) => pattern.test(effect.op))?.[1] ?? 'other',
    kind:
      (azureKinds.find(([pattern]) => pattern.test(words)) ??
        azureKinds.find(([pattern]) => pattern.test(effect.op)))?.[1] ?? 'other',
    name: name === '' ? type : name,
  };
}
