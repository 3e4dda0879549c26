/**
 * What a disk weighs while it copies, and how many of them a mover copies at once.
 * Rule: the sum stays in the room, so that a mover stays near 256 MiB (docs/performance.md; with both rooms full it was not measured); the blocks are shared by all
 * (disk/block-pool.ts) and weigh nothing here. A scrub's table takes what they leave of it, and gives way.
 */
import { tableBytes } from '../disk/target-disk.ts';
import { Turns } from './turns.ts';

const MiB = 1024 * 1024;
/** Memory for the block tables and lists of the disks that copy at once: 22 disks of 64 GiB, 17 of 1 TiB, or one of 32 TiB. */
const roomBytes = 16 * MiB;
/** What those inside a cutover have besides: 11 disks of 64 GiB, or 8 of 1 TiB. */
const urgentRoomBytes = 8 * MiB;
/** Up to 1 TiB, as nearly all disks are, a disk is light. */
const lightBytes = MiB;
/** The light ones' own part, which no heavy one can take: 4 disks of 64 GiB, or 3 of 1 TiB. */
const lightRoomBytes = 3 * MiB;

/** A list of changes as most are: 16,384 ranges. */
const listBytes = 256 * 1024;

/** Bytes that the copy of a disk of `sizeBytes` keeps in memory: its block table, and a list of changes as most are. */
export const weightOf = (sizeBytes: number): number => listBytes + tableBytes(sizeBytes);

/** What a list of changes of `bytes` weighs besides; it is known only once it is read (disk/change-list.ts bounds it). */
export const weightOfList = (bytes: number): number => Math.max(0, bytes - listBytes);

/** The turns of one mover's disks; weights by `weightOf`. */
export const openTableRoom = (): Turns =>
  new Turns(roomBytes, { upTo: lightBytes, room: lightRoomBytes }, urgentRoomBytes);
