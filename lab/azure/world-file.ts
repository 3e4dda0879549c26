/**
 * What the simulated subscription holds at the start, as the lab writes it (world.json), and the simulator's settings.
 * Rule: every key is known; a misspelt one is an error, not a default.
 */
import { z } from 'zod';

const deleteOption = z.enum(['Detach', 'Delete']).default('Detach');

const disk = z.strictObject({
  name: z.string(),
  sku: z.string().default('Premium_LRS'),
  sizeBytes: z.int(),
  /** Raw image that becomes the disk. */
  file: z.string().optional(),
  lun: z.int().optional(),
  hyperVGeneration: z.enum(['V1', 'V2']).optional(),
  sectorBytes: z.union([z.literal(512), z.literal(4096)]).default(512),
  /** What happens to it when its VM is deleted. */
  deleteOption,
});
export type WorldDisk = z.infer<typeof disk>;

const machine = z.strictObject({
  resourceGroup: z.string(),
  name: z.string(),
  vmSize: z.string().default('Standard_D2s_v5'),
  power: z.enum(['running', 'deallocated']).default('running'),
  osType: z.enum(['Linux', 'Windows']).default('Linux'),
  osName: z.string().optional(),
  osVersion: z.string().optional(),
  osDisk: disk,
  dataDisks: z.array(disk).default([]),
  nics: z
    .array(
      z.strictObject({
        name: z.string(),
        mac: z.string().optional(),
        privateIp: z.string().optional(),
        /** Name of the subnet it is in. */
        subnet: z.string().default('default'),
        deleteOption,
      }),
    )
    .default([]),
  tags: z.record(z.string(), z.string()).default({}),
  guest: z.strictObject({ recordsPerSecond: z.number(), acknowledgements: z.string() }).optional(),
});
export type WorldMachine = z.infer<typeof machine>;

export const settings = z.strictObject({
  tokenLifetimeSeconds: z.number().default(3600),
  lroMs: z.number().default(150),
  /** How long the power state of a machine lags behind a command that was accepted; its provisioning state does not. */
  powerLagMs: z.number().default(0),
  /** Upper bound of a SAS's life, whatever was asked for. */
  sasMaxSeconds: z.number().default(5_184_000),
  /** How long after its boot the agent inside a machine takes to report. */
  agentAfterMs: z.number().default(0),
  snapshotsPer5Min: z.number().default(7),
  /** Creations of VM restore points of one machine and kind within an hour. */
  restorePointsPerHour: z.number().default(3),
  /**
   * What the guests' agents reach when they are asked to hold their applications still: a Linux guest without pre- and
   * post-scripts holds its file systems only.
   */
  guestConsistency: z.enum(['ApplicationConsistent', 'FileSystemConsistent']).default('ApplicationConsistent'),
  deniedActions: z.array(z.string()).default([]),
  /** More of them, by resource group. */
  deniedIn: z.record(z.string(), z.array(z.string())).default({}),
  /** Quota of the region's vCPUs, in all and of each family. */
  vCpuLimit: z.int().default(10_000),
  /** Resource locks: on the whole group, or on one resource of it by its type and name, `disks/erp-db-data`. */
  locks: z
    .array(
      z.strictObject({
        group: z.string(),
        resource: z.string().optional(),
        name: z.string(),
        level: z.enum(['CanNotDelete', 'ReadOnly']).default('CanNotDelete'),
      }),
    )
    .default([]),
  operationExpiryMs: z.number().default(3_600_000),
  /** How long the background copy of a Premium SSD v2 or Ultra snapshot takes. */
  copyMs: z.number().default(2_000),
  /** How far the service's clock is ahead of this machine's; decides when tokens and grants end. */
  clockOffsetMs: z.number().default(0),
  /** Which checksums the blob endpoint gives over a range: both kinds, only the older one, or none at all. */
  checksums: z.enum(['crc64', 'md5', 'none']).default('crc64'),
});
export type Settings = z.infer<typeof settings>;

export const worldFile = z.strictObject({
  subscriptionId: z.string(),
  tenantId: z.string(),
  clientId: z.string(),
  clientSecretFile: z.string(),
  location: z.string().default('westeurope'),
  vms: z.array(machine),
  settings: settings.prefault({}),
});
export type WorldFile = z.infer<typeof worldFile>;
