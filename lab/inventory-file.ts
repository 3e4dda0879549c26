/**
 * Writes the `homeward.yaml` of a lab: the two sites, the mover, the policies and the machines.
 * Rule: it is a file like any user's, valid by the schema in model/inventory.ts; secrets are named, never written.
 */
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { type Inventory, inventory, type Policy } from '../model/inventory.ts';
import type { Azure } from './azure-process.ts';
import type { LabMachine } from './machines.ts';
import type { TemporalServer } from './temporal.ts';
import { datastoreName, guestUser, isolatedNetwork, moverNameOf, networkName, type Vcenter } from './vcenter.ts';

/** The id under which a mover of the lab polls: `mover-1`. */
export const moverIdOf = (number: number): string => `mover-${number}`;

export interface InventoryParts {
  readonly path: string;
  readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
  readonly azure: Azure;
  readonly vcenter: Vcenter;
  readonly caFile: string;
  /** The state folder of each mover. */
  readonly moverStates: readonly string[];
  readonly machines: readonly LabMachine[];
  /** The vCenter they came from is lost; they come home to an alternate location. */
  readonly lostSite?: boolean;
  /** Overrides of the default policy; the others build on it. */
  readonly policy?: Partial<Policy>;
}

/** Where the lab's machines are made when the site they came from is lost; the lab's Azure has one subnet. */
const alternate = (datacenter: string): object => ({
  location: 'alternate',
  create: {
    cluster: `/${datacenter}/host/DC0_C0`,
    datastore: datastoreName,
    networks: { servers: networkName },
    macs: 'keep',
    ips: { '10.1.0.0/24': '10.20.0.0/24' },
    // A host of the lab's vCenter has 4 GiB; the size in Azure has twice as much.
    memoryMiB: 2048,
  },
});

export async function writeInventory(parts: InventoryParts): Promise<Inventory> {
  const { azure, vcenter, caFile, temporal } = parts;
  // A lab is for exploring: a commit may be typed without the digest, and who starts a source by hand is found at once.
  const lab = { commitNeedsEvidence: false, sourceWatchSeconds: 1 };
  const base = { roundEverySeconds: 2, guestWaitSeconds: 60, ...lab, ...parts.policy };
  const site = parts.lostSite ? 'vcenter-new' : 'vcenter';
  const reachable = {
    kind: 'vsphere',
    url: vcenter.url,
    user: vcenter.user,
    password: { file: vcenter.passwordFile },
    caFile,
    datacenter: vcenter.datacenter,
    isolatedNetwork,
  };
  const written = {
    temporal: { address: temporal.address, namespace: temporal.namespace },
    sites: {
      azure: {
        kind: 'azure',
        subscriptionId: azure.subscriptionId,
        credential: {
          kind: 'client-secret',
          tenantId: azure.tenantId,
          clientId: azure.clientId,
          secret: { file: azure.clientSecretFile },
        },
        endpoint: azure.arm,
        authority: azure.authority,
        caFile,
        ...(azure.proxy === undefined ? {} : { proxy: azure.proxy }),
      },
      [site]: reachable,
      // Where nobody answers any more.
      ...(parts.lostSite ? { 'vcenter-lost': { ...reachable, url: 'https://localhost:1/sdk' } } : {}),
    },
    movers: Object.fromEntries(
      parts.moverStates.map((state, index) => [
        moverIdOf(index + 1),
        {
          site,
          vm: `/${vcenter.datacenter}/vm/${moverNameOf(index + 1)}`,
          state,
          datastores: { [datastoreName]: vcenter.datastoreFolder },
        },
      ]),
    ),
    policies: {
      default: base,
      staged: { ...base, write: 'staged' },
      during: { ...base, sync: 'during' },
    },
    machines: Object.fromEntries(
      parts.machines.map((machine) => [
        machine.name,
        {
          source: { site: 'azure', path: `${azure.resourceGroup}/${machine.source.vm}` },
          target: { site, path: `/${vcenter.datacenter}/vm/${machine.target.vm}` },
          mover: moverIdOf(1),
          guest: { user: guestUser, password: { file: vcenter.guestPasswordFile } },
          policy: 'default',
          ...(parts.lostSite ? alternate(vcenter.datacenter) : {}),
        },
      ]),
    ),
  };
  const head = '# The inventory of a Homeward lab. Everything in it lives as long as the lab.\n';
  await writeFile(parts.path, head + stringify(written));
  return inventory.parse(written);
}
