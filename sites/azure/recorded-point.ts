/**
 * Whether a recorded moment of a disk is there, and is that one still.
 * Rule: what is gone, was made anew or has another size is Corrupt, and nothing is read of it (S9). Changes nothing.
 */
import { refused } from '../../model/failure.ts';
import type { DiskPoint } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { lost, type Role } from './grant.ts';
import { readablePoint, type SeenMoment } from './readable-point.ts';

export interface Recorded extends SeenMoment {
  readonly id: string;
  readonly name: string;
}

/** A recorded moment, as it must be. */
export async function recorded(azure: AzureClients, point: DiskPoint, role: Role, work: Work): Promise<Recorded> {
  const of = readablePoint(azure, point);
  const seen = await of.look(work);
  if (seen === undefined) throw lost(role, point.id, 'does not exist any more');
  if (seen.identity !== point.identity) throw lost(role, point.id, 'was made anew under its name');
  // Of a disk restore point Azure tells no size; the first answer of the read does.
  if ((seen.sizeBytes ?? point.sizeBytes) !== point.sizeBytes)
    throw lost(role, point.id, 'has another size than recorded');
  // VHDX: offsets of the container are not offsets of the disk.
  if (seen.sectorBytes !== 512)
    throw refused({
      op: 'open a recovery point',
      subject: point.id,
      message: `the disk of ${of.name} has 4096-byte sectors; Azure exports it as VHDX`,
      hint: 'Homeward cannot read VHDX exports: bring this disk home another way.',
    });
  return { ...seen, id: point.id, name: of.name };
}

/** Looks at each of them. */
export async function observePoints(azure: AzureClients, points: readonly DiskPoint[], work: Work): Promise<void> {
  await together(points.map((point) => recorded(azure, point, 'point', work)));
}
