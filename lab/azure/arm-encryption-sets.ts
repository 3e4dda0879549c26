/**
 * Disk encryption sets: looking at one.
 * Rule: only what the world holds exists; everything else is 404.
 */
import { type ArmParts, type Entries, ok, read } from './arm-entry.ts';
import { notFound } from './refusal.ts';
import { key } from './resources.ts';

export function encryptionSetsEntries({ world, shapes }: ArmParts, group: string, name: string): Entries {
  const type = 'Microsoft.Compute/diskEncryptionSets';
  return {
    get: read('get', async () => {
      const found = world.encryptionSets.get(key(group, name));
      if (!found) throw notFound(`${type}/${name}`);
      const { rotationError } = found;
      return ok({
        ...{ id: shapes.id(group, type, name), name, type, location: world.file.location },
        properties: {
          encryptionType: 'EncryptionAtRestWithCustomerKey',
          provisioningState: 'Succeeded',
          ...(rotationError
            ? { autoKeyRotationError: { code: 'KeyVaultAccessForbidden', message: rotationError } }
            : {}),
        },
      });
    }),
  };
}
