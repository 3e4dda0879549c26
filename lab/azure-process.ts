/**
 * Starts the Azure simulator with the lab's machines: what runs in Azure since the failover.
 * Rule: names and places are chosen by the lab and handed over in one file; secrets lie in files of their own.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Certificates } from './certificates.ts';
import { type Child, startChild } from './child.ts';
import { placeDataDisk, placeOsDisk } from './guest/disk-images.ts';
import type { LabMachine } from './machines.ts';

export interface Azure {
  readonly arm: string;
  readonly authority: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecretFile: string;
  readonly resourceGroup: string;
  /** Where the hosts of the disks' SAS end: `.blob.storage.azure.net`. */
  readonly blobHostSuffix: string;
  /** HTTP proxy that reaches those hosts. */
  readonly proxy?: string;
  readonly control: string;
  /** One line of JSON for each request. */
  readonly audit: string;
  readonly child: Child;
}

/** Fills the images that the Azure disks start with. */
export async function placeAzureImages(machines: readonly LabMachine[]): Promise<void> {
  await Promise.all(
    machines.map(async ({ name, tree, loader, disks: [os, data] }) => {
      const image = { tree, sizeBytes: os.sizeBytes, machine: name, release: 'current' } as const;
      await placeOsDisk(loader === undefined ? image : { ...image, loader }, os.image);
      await placeDataDisk(data.image, data.sizeBytes, name);
    }),
  );
}

/** How strict the simulated Azure is; see lab/azure/world-file.ts for what each means and for the defaults. */
export interface AzureSettings {
  readonly tokenLifetimeSeconds?: number;
  readonly lroMs?: number;
  readonly sasMaxSeconds?: number;
  readonly snapshotsPer5Min?: number;
  readonly deniedActions?: readonly string[];
  readonly operationExpiryMs?: number;
}

export interface AzurePlan {
  readonly folder: string;
  readonly certificates: Certificates;
  readonly machines: readonly LabMachine[];
  /** Who hears of each effect before it is reported done; nobody when absent. */
  readonly effectsUrl?: string;
  readonly recordsPerSecond: number;
  readonly settings?: AzureSettings;
}

const resourceGroup = 'rg-failover';
const location = 'westeurope';
/** A lab's rounds are seconds apart, not minutes: Azure's own limit (7 snapshots in 5 minutes) is for tests to set. */
const labSettings: AzureSettings = { snapshotsPer5Min: 5_000 };

const readyLine = z.looseObject({
  arm: z.string(),
  authority: z.string(),
  blobHostSuffix: z.string(),
  proxy: z.string(),
  control: z.string(),
  audit: z.string(),
});

function vmOf(
  { source, disks: [os, data], acknowledgements }: LabMachine,
  number: number,
  recordsPerSecond: number,
): object {
  const last = (4 + number).toString(16).padStart(2, '0').toUpperCase();
  return {
    resourceGroup,
    name: source.vm,
    osDisk: { name: os.azureName, sizeBytes: os.sizeBytes, file: os.image, hyperVGeneration: 'V2' },
    dataDisks: [{ name: data.azureName, sizeBytes: data.sizeBytes, file: data.image, lun: 0 }],
    nics: [{ name: source.nic, mac: `00-0D-3A-10-20-${last}`, privateIp: `10.1.0.${4 + number}`, subnet: 'servers' }],
    guest: { recordsPerSecond, acknowledgements: acknowledgements.azure },
  };
}

export async function startAzure(plan: AzurePlan): Promise<Azure> {
  const clientSecretFile = join(plan.folder, 'azure-client-secret');
  await writeFile(clientSecretFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const identity = { subscriptionId: randomUUID(), tenantId: randomUUID(), clientId: randomUUID() };
  const world = join(plan.folder, 'azure-world.json');
  const vms = plan.machines.map((machine, number) => vmOf(machine, number, plan.recordsPerSecond));
  const settings = { ...labSettings, ...plan.settings };
  await writeFile(world, JSON.stringify({ ...identity, clientSecretFile, location, vms, settings }, undefined, 2));
  const flags: Record<string, string> = {
    world,
    dir: plan.folder,
    cert: plan.certificates.certFile,
    key: plan.certificates.keyFile,
    ...(plan.effectsUrl === undefined ? {} : { effects: plan.effectsUrl }),
  };
  const entry = join(import.meta.dirname, 'azure/main.ts');
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const child = await startChild({
    name: 'azure',
    program: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', entry, ...words],
    logFolder: plan.folder,
    ready: { lineWith: 'arm' },
  });
  const said = readyLine.parse(child.said);
  return { ...identity, ...said, clientSecretFile, resourceGroup, child };
}
