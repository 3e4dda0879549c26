/**
 * Network, MAC and address of each NIC of a machine that is made at an alternate location, by the rules of the inventory.
 * Rule: a NIC that no rule fits is refused by its name (R6, C11); an address is only planned here, the guest takes it.
 */
import type { Check } from './check.ts';
import type { CreateSection } from './new-place.ts';
import { readdressed } from './readdress.ts';

export interface ShapeNic {
  readonly name: string;
  /** `00:0d:3a:1b:c7:21`; absent where the source does not tell. */
  readonly mac?: string;
  /** Name of the subnet it is in. */
  readonly subnet?: string;
  readonly ip?: string;
}

export interface NewNic {
  /** Of the source. */
  readonly name: string;
  readonly network: string;
  /** Absent: the target's side gives it one. */
  readonly mac?: string;
  readonly ip?: { readonly was: string; readonly becomes: string };
}

/** Adds a check that refuses. */
export type Refuse = (id: string, subject: string, seen: string, remedy: string) => void;

export function planNics(create: CreateSection, nics: readonly ShapeNic[], refuse: Refuse): NewNic[] {
  const strangers = typeof create.macs === 'object' ? Object.keys(create.macs) : [];
  for (const name of strangers)
    if (!nics.some((nic) => nic.name === name))
      refuse(
        'new-mac',
        name,
        `create.macs names ${name}, but the source has no such NIC`,
        `Name one of: ${nics.map((nic) => nic.name).join(', ') || 'none'}.`,
      );
  return nics.flatMap((nic) => planNic(create, nic, refuse) ?? []);
}

function planNic(create: CreateSection, nic: ShapeNic, refuse: Refuse): NewNic | undefined {
  const { name, subnet, ip } = nic;
  const own = subnet !== undefined && Object.hasOwn(create.networks, subnet) ? create.networks[subnet] : undefined;
  const network = own ?? create.network;
  const { macs } = create;
  const kept = macs === 'keep' ? nic.mac : undefined;
  const given = typeof macs === 'object' ? macs[name] : undefined;
  const mac = (given ?? kept)?.toLowerCase();
  const becomes = ip === undefined ? undefined : readdressed(ip, create.ips);
  if (network === undefined)
    refuse(
      'new-network',
      name,
      `no rule gives NIC ${name} of subnet ${subnet ?? 'unknown'} a network`,
      `Write create.network for all NICs, or create.networks.${subnet ?? '<subnet>'}.`,
    );
  if (macs === 'keep' && kept === undefined)
    refuse(
      'new-mac',
      name,
      `Azure does not tell the MAC of NIC ${name}`,
      'Give it one under create.macs by the NIC’s name, or write macs: new.',
    );
  if (ip !== undefined && becomes === undefined)
    refuse(
      'new-address',
      name,
      `no rule of create.ips fits ${ip} of NIC ${name}`,
      'Add the network of this address to create.ips, or write ips: keep.',
    );
  const wrong = network === undefined || (macs === 'keep' && kept === undefined) || (ip !== undefined && !becomes);
  if (wrong) return undefined;
  return {
    name,
    network,
    ...(mac === undefined ? {} : { mac }),
    ...(ip === undefined || becomes === undefined ? {} : { ip: { was: ip, becomes } }),
  };
}

/** One NIC of the plan, in words: for the checks, the record and the status. */
export const nicWords = ({ name, network, mac, ip }: NewNic): string =>
  `${name}: ${network}, MAC ${mac ?? 'new'}${ip ? `, ${ip.was === ip.becomes ? `keeps ${ip.was}` : `planned: ${ip.was} becomes ${ip.becomes} (set in the guest by you)`}` : ''}`;

export function addressPlan(path: string, nics: readonly NewNic[]): Check {
  const moved = nics.filter(({ ip }) => ip && ip.was !== ip.becomes);
  const seen = nics.map(nicWords).join('; ') || 'the source has no NIC, the new machine gets none';
  if (moved.length === 0) return { id: 'new-address', verdict: 'pass', subject: path, seen };
  return {
    id: 'new-address',
    verdict: 'warn',
    subject: path,
    seen,
    remedy:
      'The guest takes a new address by itself (DHCP), or by a step in the guest; Homeward sets none from outside.',
  };
}
