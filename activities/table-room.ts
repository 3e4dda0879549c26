/**
 * What a disk weighs while it copies, and how many of them a mover copies at once.
 * Rule: the sum stays in the room, as a part of a mover's memory (docs/unproven.md says what was measured with both rooms full); the blocks are shared by all
 * (disk/block-pool.ts) and weigh nothing here. A scrub's table takes what they leave of it, and gives way.
 */
import { shortListBytes } from '../disk/change-list.ts';
import { tableBytes } from '../disk/target-disk.ts';
import { Turns } from './turns.ts';

const MiB = 1024 * 1024;
/** Memory for the block tables and lists of the disks that copy at once: 14 disks of 64 GiB, ten of 1 TiB, or one of 32 TiB. Ten blocks are lent to them to fetch into, so that more would only wait for each other. */
const roomBytes = 10 * MiB;
/** What those inside a cutover have besides: 11 disks of 64 GiB, or eight of 1 TiB. */
const urgentRoomBytes = 8 * MiB;
/** Up to 1 TiB, as nearly all disks are, a disk is light. */
const lightBytes = MiB;
/** The light ones' own part, which no heavy one can take: 4 disks of 64 GiB, or 3 of 1 TiB. */
const lightRoomBytes = 3 * MiB;

/** Bytes that the copy of a disk of `sizeBytes` keeps in memory: its block table, and a list of changes as most are. */
export const weightOf = (sizeBytes: number): number => shortListBytes + tableBytes(sizeBytes);

/** The turns of one mover's disks; weights by `weightOf`. */
export const openTableRoom = (): Turns =>
  new Turns(roomBytes, { upTo: lightBytes, room: lightRoomBytes }, urgentRoomBytes);
