/**
 * One moment of one disk in Azure that can be read by a SAS: an incremental snapshot, or the disk of a VM restore point.
 * Rule: which of the two it is, is read from its resource id here and nowhere else.
 * Never hands a grant's URL to anyone but the lease that asked for it.
 */
import type { AccessUri } from '@azure/arm-compute';
import type { Failure } from '../../model/failure.ts';
import type { DiskPoint } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { runOperation } from './long-running.ts';
import { grantOnDiskPoint, parseDiskPointId, readDiskPoint, revokeOnDiskPoint } from './restore-points.ts';
import { hasGrant, readSnapshot, revokeGrant } from './snapshots.ts';

export interface SeenMoment {
  /** What `DiskPoint.identity` recorded. */
  readonly identity: string | undefined;
  /** Without the footer; absent where Azure does not tell. */
  readonly sizeBytes?: number | undefined;
  /** Azure compares only within one family. */
  readonly family: string | undefined;
  /** Identity of the disk it was taken of. */
  readonly ofDisk: string | undefined;
  readonly takenAt: Date | undefined;
  readonly sectorBytes: number;
  /** Whether a grant may be active on it: Azure tells it of snapshots only. */
  readonly mayBeOpen: boolean;
}

export interface ReadablePoint {
  readonly name: string;
  /** As it is now; undefined when it is gone. */
  look(work: Work): Promise<SeenMoment | undefined>;
  /** Takes every grant on it back. Fine when there is none, and when it is gone. */
  revoke(work: Work): Promise<void>;
  /** `gone`: what to throw when it is not there any more. */
  grant(seconds: number, work: Work, gone: () => Failure): Promise<AccessUri>;
}

export function readablePoint(azure: AzureClients, { id }: Pick<DiskPoint, 'id'>): ReadablePoint {
  const restorePoint = parseDiskPointId(id);
  if (restorePoint !== undefined)
    return {
      name: restorePoint.name,
      look: (work) => readDiskPoint(azure, restorePoint, work).then((seen) => seen && asMoment(seen)),
      revoke: (work) => revokeOnDiskPoint(azure, restorePoint, work),
      grant: (seconds, work, gone) => grantOnDiskPoint(azure, restorePoint, seconds, work, gone),
    };
  const at = parseId(id);
  return {
    name: at.name,
    async look(work) {
      const seen = await readSnapshot(azure, at, work);
      if (seen === undefined) return undefined;
      return {
        identity: seen.uniqueId,
        sizeBytes: seen.diskSizeBytes,
        family: seen.incrementalSnapshotFamilyId,
        ofDisk: seen.creationData?.sourceUniqueId,
        takenAt: seen.timeCreated,
        sectorBytes: seen.creationData?.logicalSectorSize ?? 512,
        mayBeOpen: hasGrant(seen),
      };
    },
    revoke: (work) => revokeGrant(azure, at, work),
    grant: (seconds, work, gone) =>
      runOperation(
        { op: 'snapshots.beginGetAccess', subject: at.name },
        work,
        (call) =>
          azure.compute.snapshots.grantAccess(
            at.resourceGroup,
            at.name,
            { access: 'Read', durationInSeconds: seconds },
            call,
          ),
        async () => {
          throw gone();
        },
      ),
  };
}

const asMoment = (seen: NonNullable<Awaited<ReturnType<typeof readDiskPoint>>>): SeenMoment => ({
  identity: seen.timeCreated?.toISOString(),
  family: seen.familyId,
  ofDisk: seen.sourceUniqueId,
  takenAt: seen.timeCreated,
  sectorBytes: seen.logicalSectorSize ?? 512,
  mayBeOpen: true,
});
