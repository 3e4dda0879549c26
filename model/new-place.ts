/**
 * What `homeward.yaml` may say of a machine that comes home to another place: where it is made, and of what.
 * Rule: the place itself (compute, datastore, networks) is always said, never guessed; only the size and the firmware of
 * the machine may be left to what its source is. Folder and name are the target's path, so that they are said once.
 */
import { z } from 'zod';

const text = z.string().min(1);

const inventoryPath = (what: string, shape: RegExp, words: string) =>
  z
    .string()
    .regex(shape, words)
    .describe(`${what} that the new machine runs on; name one of host, cluster and resourcePool.`);

const macAddress = z
  .string()
  .regex(
    /^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$/,
    'write six pairs of hex digits with colons (00:50:56:01:02:03), the first one even',
  );

const network = z.cidrv4('write an IPv4 network such as 10.1.0.0/24');

/** How the machine is to be reached under its new roof; a plan for the guest, who alone can take an address. */
const addresses = z.union([z.literal('keep'), z.record(network, network)]);

export const createSection = z
  .strictObject({
    host: inventoryPath('Host', /^\/[^/]+\/host\/.*[^/]$/, 'write /<datacenter>/host/<cluster>/<host>').optional(),
    cluster: inventoryPath('Cluster', /^\/[^/]+\/host\/.*[^/]$/, 'write /<datacenter>/host/<cluster>').optional(),
    resourcePool: inventoryPath(
      'Resource pool',
      /^\/[^/]+\/host\/.*[^/]$/,
      'write /<datacenter>/host/<cluster>/Resources/<pool>',
    ).optional(),
    datastore: text.describe('Name of the datastore for the machine and its new disks; the mover must see it too.'),
    network: text.optional().describe('Network (port group) of every NIC whose subnet has none of its own.'),
    networks: z.record(text, text).default({}).describe('By name of the Azure subnet: the network of the NICs in it.'),
    macs: z
      .union([z.enum(['keep', 'new']), z.record(text, macAddress)])
      .default('new')
      .describe(
        'new: vCenter gives them. keep: those of the NICs in Azure. Or by name of the Azure NIC; others are new.',
      ),
    ips: addresses
      .default('keep')
      .describe('keep, or networks there to networks here, host part kept: {"10.1.0.0/24": "192.168.7.0/24"}.'),
    firmware: z.enum(['bios', 'efi']).optional().describe('Default: efi for Azure generation 2, bios for 1.'),
    controller: z
      .enum(['pvscsi', 'lsilogic', 'lsilogic-sas'])
      .default('pvscsi')
      .describe('The kind of its SCSI controllers; the guest must have its driver to boot.'),
    cpus: z.int().min(1).max(768).optional().describe('Default: as the Azure size has.'),
    memoryMiB: z.int().min(64).max(25_165_824).multipleOf(4).optional().describe('Default: as the Azure size has.'),
    guestId: z
      .string()
      .regex(/^[A-Za-z0-9_]+$/, 'write an identifier of vSphere, such as rhel9_64Guest')
      .optional()
      .describe('vSphere’s identifier of the guest system; default: by the OS type in Azure.'),
    biosUuid: z.guid().optional().describe('To keep the BIOS UUID it had before; default: a new one.'),
    onNameClash: z
      .enum(['refuse', 'suffix'])
      .default('refuse')
      .describe('When a machine of this name stands in the folder: refuse, or take the next free name (erp-db-2).'),
  })
  .describe('The machine that is made at the alternate location; target.path says its folder and its name.');

export type CreateSection = z.infer<typeof createSection>;

/** Which one of host, cluster and resource pool was named; undefined unless it is exactly one. */
export function computeOf({ host, cluster, resourcePool }: Pick<CreateSection, 'host' | 'cluster' | 'resourcePool'>) {
  const named = [host, cluster, resourcePool].filter((one) => one !== undefined);
  return named.length === 1 ? named[0] : undefined;
}
