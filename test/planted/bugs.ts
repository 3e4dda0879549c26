/**
 * Bugs planted on purpose, one line each: what would be wrong if the line that keeps a promise were not there.
 * Rule: each names the promise it breaks and the test that must notice; planted.test.ts sees to it that every line still
 * stands in its file, run.ts that every bug is noticed. Never planted in the working tree.
 */
import { arrivalBugs } from './arrival-bugs.ts';
import { bug, type PlantedBug } from './bug.ts';
import { byteBugs } from './byte-bugs.ts';
import { checkBugs } from './check-bugs.ts';
import { homeBugs } from './home-bugs.ts';
import { lastCopyBugs } from './last-copy-bugs.ts';
import { lateBugs } from './late-bugs.ts';
import { movedBugs } from './moved-bugs.ts';
import { moverBugs } from './mover-bugs.ts';
import { newPlaceBugs } from './new-place-bugs.ts';
import { pointBugs } from './point-bugs.ts';
import { proofBugs } from './proof-bugs.ts';
import { sealBugs } from './seal-bugs.ts';
import { secondBugs } from './second-bugs.ts';
import { startBugs } from './start-bugs.ts';
import { toldBugs } from './told-bugs.ts';
import { wireBugs } from './wire-bugs.ts';

const openDisks: readonly PlantedBug[] = [
  bug(
    'S4',
    'disk/target-disk.ts',
    "if (held.ledger.state.phase !== 'open') await openDisk(held);",
    "if (held.ledger.state.phase !== 'open') await held.ledger.append({ t: 'opened' });",
    'test/disk/seal.test.ts',
    'has no boot signature',
  ),
  bug(
    'S4',
    'disk/geometry.ts',
    'const headEnd = Math.min(withheldBytes, sizeBytes);',
    'const headEnd = Math.min(sectorBytes, sizeBytes);',
    'test/disk/seal.test.ts',
    'has no boot signature',
  ),
  bug(
    'S4',
    'disk/geometry.ts',
    'tailStart: Math.max(headEnd, sizeBytes - withheldBytes),',
    'tailStart: sizeBytes,',
    'test/disk/seal.test.ts',
    'has no boot signature',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    'if (headEnd > header) await target.write(header, withheld.head.subarray(header));',
    'await target.write(0, withheld.head);',
    'test/disk/seal-order.test.ts',
    'last of all the boot sector',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    'if (!head || !tail) throw',
    'if (!head && !tail) throw',
    'test/disk/seal-order.test.ts',
    'a lost write of the',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    'await memory.toRead((space) => withholding.open(own, space));',
    'await withholding.readMarker();',
    'test/disk/seal-order.test.ts',
    'whose last flush fails',
  ),
  bug(
    'S4',
    'disk/withhold.ts',
    "if (!this.holds(marker, this.sector)) throw this.lost('sector 0');",
    '',
    'test/disk/seal-order.test.ts',
    'whose marker is lost',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    'if (decodeMarker(head) === undefined) return { head, tail };',
    'if (head.byteLength > 0) return { head, tail };',
    'test/disk/seal.test.ts',
    'itself an open disk',
  ),
];

const fences: readonly PlantedBug[] = [
  bug('S8', 'disk/window.ts', 'await this.held.fence();', '', 'test/disk/late-mover.test.ts', 'writes'),
  bug(
    'S8',
    'disk/seal.ts',
    'await held.fence();\n  if (withheld.tail',
    'if (withheld.tail',
    'test/disk/seal-order.test.ts',
    'before the first byte',
  ),
  bug(
    'S8',
    'disk/seal.ts',
    'await held.fence();\n  if (header > boot)',
    'if (header > boot)',
    'test/disk/seal-order.test.ts',
    'S8 a seal that finds a newer attempt',
  ),
  bug(
    'S8',
    'disk/seal.ts',
    'signal.throwIfAborted();\n  await held.fence();\n}',
    'signal.throwIfAborted();\n}',
    'test/disk/seal-order.test.ts',
    'S8 a seal that finds a newer attempt',
  ),
  bug('S8', 'disk/held-disk.ts', 'grip.lock.check(), ', '', 'test/disk/fencing.test.ts', 'finds its lock taken'),
  bug(
    'S8',
    'disk/held-disk.ts',
    ', grip.withholding.check(own)',
    '',
    'test/disk/fencing.test.ts',
    'finds a higher epoch',
  ),
  bug(
    'S8',
    'disk/withhold.ts',
    'if (found?.id === own.id && found.epoch === own.epoch) return;',
    'if (found !== undefined) return;',
    'test/disk/fencing.test.ts',
    'finds a higher epoch',
  ),
  bug(
    'S8',
    'disk/disk-lock.ts',
    'if (await isAlive(held, boot)) throw heldBy(held, subject);',
    '',
    'test/disk/fencing.test.ts',
    'of a living process',
  ),
  bug(
    'S8',
    'disk/lineage.ts',
    'refuseLateMover(wish, marker, subject);',
    '',
    'test/disk/fencing.test.ts',
    'of a mover that the run took the disk from',
  ),
  bug(
    'S8',
    'sites/vsphere/return-disks.ts',
    'await ensureUnplugged(at, mover, files, [], work);',
    '',
    'test/vsphere/movers.test.ts',
    'hang on nothing once their mover was left',
  ),
  bug('S8', 'disk/attempts.ts', 'await older?.ended;', '', 'test/disk/fencing.test.ts', 'still on its way'),
  bug(
    'S8',
    'disk/take-disk.ts',
    'const epoch = Math.max(ledger.state.epoch, grip.marker?.epoch ?? 0) + 1;',
    'const epoch = Math.max(ledger.state.epoch, grip.marker?.epoch ?? 0);',
    'test/disk/fencing.test.ts',
    'of two attempts',
  ),
];

const lineage = 'test/disk/lineage.test.ts';
const lineages: readonly PlantedBug[] = [
  bug(
    'S9',
    'disk/lineage.ts',
    "else if (state.point !== null && state.point === wish.base) return 'begin';",
    "else if (state.point !== null) return 'begin';",
    lineage,
    'from another point',
  ),
  bug(
    'S9',
    'disk/lineage.ts',
    "if (marker.id !== state.id) return 'the disk carries the open marker of another copy';",
    '',
    lineage,
    'replaced by one of an earlier copy',
  ),
  bug(
    'S9',
    'disk/lineage.ts',
    'if (marker.epoch > state.epoch) return',
    'if (marker.epoch < 0) return',
    lineage,
    'the record does not know',
  ),
  bug(
    'S9',
    'disk/lineage.ts',
    'if (state.point !== wish.point) throw',
    'if (state.point === undefined) throw',
    'test/disk/seal.test.ts',
    'of another point',
  ),
  bug(
    'S9',
    'disk/target-disk.ts',
    'if (before !== null && before !== plan && !whole) {',
    'if (before !== null && before !== plan && whole) {',
    lineage,
    'whose list changed',
  ),
  bug(
    'S9',
    'disk/journal.ts',
    'if (line !== undefined && (torn || line.seq !== records)) {',
    'if (line !== undefined && torn) {',
    'test/disk/journal.test.ts',
    'lost a whole line',
  ),
  bug(
    'S9',
    'disk/checkpoint.ts',
    'if (!isCheck(hash, check)) throw',
    'if (check.byteLength === 0) throw',
    lineage,
    'flipped bit',
  ),
  bug(
    'S9',
    'disk/ledger.ts',
    'else if (heads[0]?.checkpoint === number) state =',
    'else state =',
    'test/disk/ledger.test.ts',
    'not counted twice',
  ),
  bug(
    'S9',
    'sites/azure/recovery-point.ts',
    'if (diskSizeBytes !== disk.sizeBytes)',
    'if (diskSizeBytes === undefined)',
    'test/azure/recovery-points.test.ts',
    'was resized during the run',
  ),
  bug(
    'S3',
    'sites/azure/recovery-point.ts',
    "return provisioningState === 'Succeeded' && (completionPercent ?? 100) >= 100 && state.startsWith('Available');",
    "return provisioningState === 'Succeeded' && (completionPercent ?? 100) >= 0 && state !== '';",
    'test/azure/recovery-points.test.ts',
    'a Premium v2 disk',
  ),
  bug(
    'S9',
    'sites/azure/point-source.ts',
    'else if (seenSince) assertLineage(seenSince, seen);',
    '',
    'test/azure/reading.test.ts',
    'a base that is gone, or that is newer',
  ),
];

const zeros: readonly PlantedBug[] = [
  bug(
    'S10',
    'disk/extents.ts',
    "list.add('zero', up(start), down(end));",
    '',
    'test/disk/equality.test.ts',
    'cleared ranges',
  ),
  bug(
    'S10',
    'disk/extents.ts',
    "else if (up(start) >= down(end)) list.add('data', down(start), up(end));",
    "else if (up(start) >= down(end)) list.add('zero', down(start), up(end));",
    'test/disk/extents.test.ts',
    'clears no whole sector',
  ),
  bug(
    'S10',
    'disk/change-list.ts',
    'const zero = this.named.zero.merged().minus(data);',
    'const zero = this.named.zero.merged();',
    'test/disk/extents.test.ts',
    'data and zero overlap',
  ),
  bug(
    'S10',
    'disk/block-plan.ts',
    'yield whole\n',
    'yield whole && named.length > 0\n',
    'test/disk/equality.test.ts',
    'names nothing, over stale bytes',
  ),
  bug(
    'S10',
    'disk/copy-block.ts',
    'for (const zeros of zerosOf(job)) view(zeros).fill(0);',
    '',
    'test/disk/equality.test.ts',
    'cleared ranges',
  ),
  bug(
    'S10',
    'disk/zero-runs.ts',
    'if (!isAllZero(space.subarray(0, end - start))) return false;',
    '',
    'test/disk/equality.test.ts',
    'names nothing, over stale bytes',
  ),
  bug(
    'S10',
    'sites/azure/page-list.ts',
    "return { extents: [...of('data'), ...of('zero')], next: next ?? '' };",
    "return { extents: of('data'), next: next ?? '' };",
    'test/azure/answers.test.ts',
    'interleaved',
  ),
  bug(
    'S10',
    'sites/azure/page-list.ts',
    'return { offset: start, length: last + 1 - start, kind };',
    'return { offset: start, length: last - start, kind };',
    'test/azure/answers.test.ts',
    'last byte of every range',
  ),
  bug(
    'S10',
    'sites/azure/page-list.ts',
    'marker = piece.next;',
    "marker = '';",
    'test/azure/reading.test.ts',
    'read in small pieces',
  ),
];

const again: readonly PlantedBug[] = [
  bug(
    'L2',
    'disk/window.ts',
    'const windowBytes = 16 * 1024 * 1024;',
    'const windowBytes = 256 * 1024 * 1024;',
    'test/disk/partial-block.test.ts',
    'few leaves in one window',
  ),
  bug(
    'L2',
    'disk/copy-round.ts',
    'if (table.isProvenInRound(work.block)) skipped(lengthOf(work.writes), lengthOf(work.reads));',
    'if (work.block < 0) skipped(lengthOf(work.writes), lengthOf(work.reads));',
    'test/disk/fencing.test.ts',
    'told to stop',
  ),
];

export const plantedBugs: readonly PlantedBug[] = [
  ...proofBugs,
  ...byteBugs,
  ...openDisks,
  ...sealBugs,
  ...fences,
  ...lineages,
  ...zeros,
  ...again,
  ...lastCopyBugs,
  ...lateBugs,
  ...checkBugs,
  ...homeBugs,
  ...movedBugs,
  ...moverBugs,
  ...secondBugs,
  ...startBugs,
  ...toldBugs,
  ...newPlaceBugs,
  ...arrivalBugs,
  ...pointBugs,
  ...wireBugs,
];
