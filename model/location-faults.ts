/**
 * What a machine's location and its `create` may each say by themselves but not together.
 * Rule: an alternate location is chosen by its word alone (S000-18): neither a `create` without the word nor the word
 * without a `create` is taken for it.
 */
import type { MachineConfig } from './inventory.ts';
import { computeOf } from './new-place.ts';
import { ruleFault } from './readdress.ts';

interface LocationFault {
  /** Path of keys to the offending value. */
  readonly at: readonly string[];
  readonly message: string;
}

/** `datacenter`: of the target's site, where it has one. `machine` may come from an inventory with other faults in it: only what is looked at here counts on anything. */
export function locationFaults(
  name: string,
  machine: Partial<MachineConfig>,
  datacenter: string | undefined,
): LocationFault[] {
  const at = ['machines', name];
  const { location, create, disks } = machine;
  if (location !== 'alternate')
    return create === undefined
      ? []
      : [
          {
            at: [...at, 'create'],
            message:
              'this machine comes home to its original location; add "location: alternate" to have a new one made, or remove create',
          },
        ];
  if (typeof create !== 'object' || create === null)
    return [
      {
        at: [...at, 'location'],
        message:
          'an alternate location needs create: at least datastore, network, and one of host, cluster and resourcePool',
      },
    ];
  return [
    ...(computeOf(create) === undefined
      ? [{ at: [...at, 'create'], message: 'name exactly one of host, cluster and resourcePool' }]
      : []),
    ...(create.network === undefined && Object.keys(create.networks ?? {}).length === 0
      ? [
          {
            at: [...at, 'create'],
            message: 'name a network for the NICs: network for all, or networks by Azure subnet',
          },
        ]
      : []),
    ...(disks === undefined
      ? []
      : [{ at: [...at, 'disks'], message: 'the disks of an alternate location are new; remove disks' }]),
    ...addressFaults([...at, 'create', 'ips'], create.ips),
    ...datacenterFaults(at, machine, datacenter),
  ];
}

/** New disks are made in the site's datacenter, so the machine must be too; another datacenter is a site of its own. */
function datacenterFaults(
  at: readonly string[],
  { target, create }: Partial<MachineConfig>,
  datacenter: string | undefined,
): LocationFault[] {
  if (datacenter === undefined) return [];
  const paths: [readonly string[], unknown][] = [
    [['target', 'path'], target?.path],
    ...(['host', 'cluster', 'resourcePool'] as const).map((key): [string[], unknown] => [
      ['create', key],
      create?.[key],
    ]),
  ];
  return paths.flatMap(([keys, path]) => {
    const found = typeof path === 'string' ? path.split('/').filter(Boolean)[0] : undefined;
    if (found === undefined || found === datacenter) return [];
    const message = `is in datacenter ${found}, and site "${target?.site}" is ${datacenter}; define a site for ${found}, or correct the path`;
    return [{ at: [...at, ...keys], message }];
  });
}

function addressFaults(at: readonly string[], rules: unknown): LocationFault[] {
  if (typeof rules !== 'object' || rules === null) return [];
  return Object.entries(rules).flatMap(([from, to]) => {
    const message = ruleFault(from, String(to));
    return message === undefined ? [] : [{ at: [...at, from], message }];
  });
}
