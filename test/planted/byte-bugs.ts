/** Planted bugs in what tells that a disk is no longer what its record says. */
import { bug, type PlantedBug } from './bug.ts';

const older = 'test/disk/older-disk.test.ts';
const halfWritten = 'disk/half-written.ts';
const changed = 'test/disk/half-written.test.ts';
const unproven = 'test/disk/unproven-window.test.ts';
const bars = 'test/disk/second-bars.test.ts';
const holes = 'test/disk/holes.test.ts';
const notCannot = 'return false;\n        throw error;';

export const byteBugs: readonly PlantedBug[] = [
  bug('S9', 'disk/lineage.ts', 'if (marker.epoch < marked)', 'if (marked < 0)', older, 'set back to an older state'),
  bug(
    'S9',
    'disk/records.ts',
    'return behindMarker.has(record.t) ? { ...next, marked: state.epoch } : next;',
    'return next;',
    older,
    'set back to an older state',
  ),
  bug(
    'L2',
    'disk/records.ts',
    'return behindMarker.has(record.t) ? { ...next, marked: state.epoch } : next;',
    "return behindMarker.has(record.t) || record.t === 'attempt' ? { ...next, marked: next.epoch } : next;",
    older,
    'goes on, any number of times',
  ),
  bug(
    'S3',
    halfWritten,
    'if (round?.begunBy === epoch) await endLineage(held, block, doubted);',
    '',
    changed,
    'though another sector of it is what it was before',
  ),
  bug(
    'S3',
    'disk/records.ts',
    'begunBy: state.epoch,',
    '',
    changed,
    'though another sector of it is what it was before',
  ),
  bug(
    'S3',
    halfWritten,
    "await held.ledger.append({ t: 'broken', because });",
    '',
    changed,
    'though another sector of it is what it was before',
  ),
  bug('S8', halfWritten, 'await held.fence();', '', changed, 'that another attempt has by now'),
  bug(
    'S3',
    'disk/copy-block.ts',
    'if (doubted !== undefined) await refuseDamage(held, planned, doubted, lent.space, signal);',
    '',
    changed,
    'beside what the attempt before had written',
  ),
  bug(
    'S3',
    halfWritten,
    'if (!isNew && !isCovered(sector, writes)) return { foreign: true, written };',
    '',
    changed,
    'beside what the attempt before had written',
  ),
  bug(
    'S3',
    halfWritten,
    'written ||= isNew && isCovered(sector, writes);',
    'written = true;',
    changed,
    'in a block that the attempt before had not written',
  ),
  bug('L2', halfWritten, 'written ||= isNew && isCovered(sector, writes);', '', changed, 'a single sector of it'),
  bug(
    'S3',
    'disk/proof.ts',
    "held.digest.of(leaves).toString('base64') !== digest)",
    'leaves.byteLength === 0)',
    unproven,
    'where it reads back as something else',
  ),
  bug('S10', 'disk/records.ts', 'blank, unproven: [], round:', 'blank, round:', unproven, 'counts for nothing'),
  bug('S9', 'disk/seal.ts', '        refuseOtherSize(source, options);', '', bars, 'by a point of another size'),
  bug(
    'S8',
    'disk/window.ts',
    'await this.held.fence();\n      signal.throwIfAborted();',
    'await this.held.fence();',
    bars,
    'stopped between its look at the marker and its write',
  ),
  bug(
    'L2',
    'disk/disk-lock.ts',
    'return hasEnded.has(state) && (await isLastThread(pid)) ? undefined : fields[18];',
    'return fields[18];',
    'test/disk/fencing.test.ts',
    'that nobody reaps is taken over',
  ),
  bug(
    'S8',
    'disk/disk-lock.ts',
    'hasEnded.has(state) && (await isLastThread(pid))',
    'hasEnded.has(state)',
    'test/disk/fencing.test.ts',
    'that has ended but for a thread is respected',
  ),
  bug(
    'S8',
    'disk/target-handle.ts',
    "await this.opening.assure();\n      if (await this.call('target.punch'",
    "if (await this.call('target.punch'",
    holes,
    'made only with leave',
  ),
  bug(
    'L1',
    'disk/target-handle.ts',
    "await this.call('target.punch', () => punch(this.main.fd, offset, zeros.byteLength))",
    'await punch(this.main.fd, offset, zeros.byteLength)',
    holes,
    'whose call alone never returns',
  ),
  bug('S10', 'disk/target-handle.ts', 'this.canPunch = false;', '', holes, 'is asked once'),
  bug('S10', 'disk/copy-block.ts', 'await target.clear(piece.start, bytesOf(piece));', 'continue;', holes, 'freed'),
  bug('S4', 'disk/holes.ts', 'while (at + leafBytes <= end &&', 'while (at < end &&', holes, 'ends that are withheld'),
  bug(
    'S3',
    'disk/holes.ts',
    'Math.ceil(start / leafBytes)',
    'Math.floor(start / leafBytes)',
    holes,
    'nothing beside it',
  ),
  bug('S10', 'disk/holes.ts', notCannot, 'return true;\n        throw error;', holes, 'is asked once'),
  bug('S3', 'disk/holes.ts', notCannot, 'return false;\n        return true;', holes, 'ends the attempt'),
  bug('S3', 'disk/holes.ts', notCannot, 'return false;\n        return false;', holes, 'ends the attempt'),
];
