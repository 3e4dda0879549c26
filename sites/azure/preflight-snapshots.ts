/**
 * The checks on Azure's limits around one disk's incremental snapshots: how many there may be, how fast they may follow each
 * other, and how many may be read at once.
 * Rule: looks only. Counts in the machine's resource group, where ours are made; elsewhere Homeward need not be let in.
 */
import type { Snapshot } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import { sameId } from './arm-id.ts';
import { passed, seenAs } from './check-outcome.ts';
import { markOf } from './snapshot-mark.ts';
import { hasGrant } from './snapshots.ts';

/** Azure's documented limits for incremental snapshots of one disk. */
const mostSnapshots = 500;
const mostInFiveMinutes = 7;
const mostGranted = 5;
const fiveMinutesMs = 300_000;

/** How many a failback keeps beside each other, and how many of them the mover reads at once: a point and its base. */
const roomNeeded = 3;
const grantsNeeded = 2;
const warnAbove = 450;

/** `id`: the disk's resource id. `now`: Azure's clock, epoch milliseconds. */
export function snapshotChecks(subject: string, id: string, all: readonly Snapshot[], now: number): Check[] {
  const ofDisk = all.filter((one) => one.incremental && sameId(one.creationData?.sourceResourceId, id));
  return [quotaCheck(subject, ofDisk), rateCheck(subject, ofDisk, now), grantsCheck(subject, ofDisk)];
}

function quotaCheck(subject: string, ofDisk: readonly Snapshot[]): Check {
  const count = ofDisk.length;
  const seen = `${count} of ${mostSnapshots} incremental snapshots exist`;
  if (count <= warnAbove) return passed('snapshot-quota', subject, seen);
  return seenAs('snapshot-quota', count + roomNeeded > mostSnapshots ? 'refuse' : 'warn', subject, {
    seen,
    remedy: 'Delete old incremental snapshots of this disk, or shorten the retention of its backups.',
  });
}

/** Others' only: how fast ours follow each other is the policy's, and known to keep the limit. */
function rateCheck(subject: string, ofDisk: readonly Snapshot[], now: number): Check {
  const id = 'snapshot-rate';
  const times = ofDisk
    .filter((one) => markOf(one) === undefined)
    .flatMap(({ timeCreated }) => timeCreated?.getTime() ?? [])
    .filter((time) => time > now - fiveMinutesMs)
    .sort((one, other) => one - other);
  const seen = `${times.length} of ${mostInFiveMinutes} snapshots of the last five minutes are taken by others`;
  const first = times.at(-mostInFiveMinutes);
  if (first === undefined) return passed(id, subject, seen);
  const until = new Date(first + fiveMinutesMs).toISOString();
  return {
    ...seenAs(id, 'wait', subject, {
      seen: `${seen}; Azure takes the next one after ${until}`,
      remedy: 'Nothing needs to be done now. Should it go on: find out which backup takes snapshots so often.',
    }),
    wait: { for: `Azure to take another snapshot of ${subject}`, since: new Date(first).toISOString(), until },
  };
}

/** Those of a run of ours are given back by it, and may be the very ones that are needed: they alone refuse nothing. */
function grantsCheck(subject: string, ofDisk: readonly Snapshot[]): Check {
  const id = 'snapshot-grants';
  const open = ofDisk.filter(hasGrant);
  const others = open.filter((one) => markOf(one) === undefined).length;
  const granted = open.map(({ name }) => name ?? 'one without a name');
  const seen = `${granted.length} of ${mostGranted} snapshots of the disk are open for reading`;
  if (granted.length + grantsNeeded <= mostGranted) return passed(id, subject, seen);
  return seenAs(id, others + grantsNeeded <= mostGranted ? 'warn' : 'refuse', subject, {
    seen: `${seen}: ${granted.join(', ')}; a round needs ${grantsNeeded} more`,
    remedy: 'End the access to those that nobody reads any more: az snapshot revoke-access -g <group> -n <name>.',
  });
}
