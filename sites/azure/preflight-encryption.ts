/**
 * The checks on how a disk is encrypted: inside the guest, or at rest with a key of the customer's.
 * Rule: looks only. A key that Homeward's identity may not use is told before a snapshot needs it.
 */
import type { Disk, DiskEncryptionSet, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { parseId, sameId } from './arm-id.ts';
import { look } from './call.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';

export function guestEncryptionCheck(subject: string, vm: VirtualMachine, disk: Disk): Check {
  const id = 'source-disk-encryption';
  const osSettings = vm.storageProfile?.osDisk?.encryptionSettings;
  const byDisk = disk.encryptionSettingsCollection?.enabled === true;
  const isOs = sameId(vm.storageProfile?.osDisk?.managedDisk?.id, disk.id);
  if (!byDisk && !(isOs && osSettings?.enabled === true))
    return passed(id, subject, 'not encrypted inside the guest by Azure');
  return seenAs(id, 'refuse', subject, {
    seen: `${disk.name ?? subject} uses Azure Disk Encryption; its key stays in Azure Key Vault and the guest would not boot at home`,
    remedy: 'Switch Azure Disk Encryption off and let the disk be decrypted; encryption at rest may stay.',
  });
}

/** A snapshot of a disk with a customer's key is made with the same key, so its set must be readable and in order. */
export async function encryptionKeyCheck(azure: AzureClients, subject: string, disk: Disk, work: Work): Promise<Check> {
  const id = 'source-disk-encryption-key';
  const set = disk.encryption?.diskEncryptionSetId;
  if (set === undefined) return passed(id, subject, 'encrypted at rest with a key of the platform');
  const { resourceGroup, name } = parseId(set);
  const right = `give Homeward’s identity Microsoft.Compute/diskEncryptionSets/read on it, in resource group ${resourceGroup}`;
  const refuse = (seen: string, remedy: string): Check => seenAs(id, 'refuse', subject, { seen, remedy });
  let found: DiskEncryptionSet | undefined;
  try {
    found = await look({ op: 'diskEncryptionSets.get', subject: name }, work, (call) =>
      azure.compute.diskEncryptionSets.get(resourceGroup, name, call),
    );
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'Refused') throw error;
    return refuse(`disk encryption set ${name} may not be read: ${error.message}`, `In the Azure portal, ${right}.`);
  }
  if (found === undefined)
    return refuse(
      `disk encryption set ${name} does not exist any more`,
      'Encrypt the disk with another set, or with a key of the platform, in Azure.',
    );
  const trouble = found.autoKeyRotationError?.message;
  if (trouble === undefined) return passed(id, subject, `encrypted at rest with disk encryption set ${name}`);
  return seenAs(id, 'warn', subject, {
    seen: `disk encryption set ${name} cannot take its key’s newest version: ${trouble}`,
    remedy:
      'See that the set may still use its key in Azure Key Vault; without it snapshots fail, and the machine too.',
  });
}
