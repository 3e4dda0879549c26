/**
 * The record in sector 0 of an open disk: who holds it, for a person with a hex viewer and for our own fencing.
 * Rule: S4, the sector carries neither 55 AA nor a partition table, so no firmware boots it; it is one sector, so
 * the medium writes it whole or not at all. Never holds anything secret.
 */
import { createHash } from 'node:crypto';
import { sectorBytes } from './geometry.ts';

export interface OpenMarker {
  readonly version: 1;
  /** Made anew at each take-over; the journal names the same id, so that disk and journal recognise each other. */
  readonly id: string;
  /** Digest of machine and disk key, uncut; the names below are cut to fit. */
  readonly key: string;
  readonly machine: string;
  readonly disk: string;
  readonly run: string;
  /** S8: grows with every attempt. */
  readonly epoch: number;
  /** S8: how many movers had the disk before the one that wrote this, in its run; absent: none. */
  readonly handovers?: number;
}

const title = 'HOMEWARD OPEN DISK';
/** The last four bytes of the sector stay zero whatever the names are: 510 and 511 are the boot signature's place. */
const textLimit = sectorBytes - 4;

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Cuts to printable ASCII that JSON need not escape, so that a character is a byte and the record always fits. */
const cut = (text: string, limit: number): string => text.replace(/[^ -~]|["\\]/g, '?').slice(0, limit);

/** A run's id as a marker holds it. */
export const cutRun = (run: string): string => cut(run, 64);

export function markerKey(machine: string, disk: string): string {
  return digestOf(`${machine.length} ${machine} ${disk}`).slice(0, 16);
}

export function openMarker(facts: {
  id: string;
  machine: string;
  disk: string;
  run: string;
  epoch: number;
  handovers?: number;
}): OpenMarker {
  const { id, machine, disk, run, epoch, handovers = 0 } = facts;
  const key = markerKey(machine, disk);
  const names = { machine: cut(machine, 80), disk: cut(disk, 24), run: cutRun(run) };
  return { version: 1, id, key, ...names, epoch, ...(handovers > 0 ? { handovers } : {}) };
}

/** One sector of readable text. */
export function encodeMarker(marker: OpenMarker): Buffer {
  const json = JSON.stringify(marker);
  const text = `${title}\n${json}\n${digestOf(json)}\n`;
  if (text.length > textLimit) throw new RangeError(`the open marker does not fit: ${text.length} characters`);
  const sector = Buffer.alloc(sectorBytes);
  sector.write(text, 'latin1');
  return sector;
}

/** The marker in these first bytes of a disk, or undefined when there is none or its checksum is wrong. */
export function decodeMarker(bytes: Uint8Array): OpenMarker | undefined {
  const [first, json, check] = Buffer.from(bytes.subarray(0, sectorBytes)).toString('latin1').split('\n');
  if (first !== title || json === undefined || check !== digestOf(json)) return undefined;
  // The checksum says that we wrote it, so its shape is ours.
  return JSON.parse(json) as OpenMarker;
}
