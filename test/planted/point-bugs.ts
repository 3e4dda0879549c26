/**
 * Bugs planted in the way to an older, application-consistent point, and in its keeping.
 */
import { bug, type PlantedBug } from './bug.ts';

const used = 'test/disk/used.test.ts';
const reopen = 'sites/vsphere/reopen-disks.ts';
const reopened = 'test/vsphere/reopen.test.ts';
const edge = 'test/azure/application-points.test.ts';
const reader = 'sites/azure/point-source.ts';

export const pointBugs: readonly PlantedBug[] = [
  bug('S9', reader, 'return listed.readAll ? asData(list) : list;', 'return list;', edge, 'a disk that is ahead'),
  bug(
    'S9',
    reader,
    'for (const moment of [held, point]) {',
    'for (const moment of [point]) {',
    edge,
    'are no way to it',
  ),
  bug(
    'S9',
    reader,
    'if (!between || before.takenAt > at || at > after.takenAt)',
    'if (!between)',
    edge,
    'are no way to it',
  ),
  bug(
    'S9',
    'sites/azure/recovery-point.ts',
    '(mark.number < before && !keep.includes(mark.number))',
    'mark.number < before',
    edge,
    'releasing keeps',
  ),
  bug(
    'S9',
    'model/point.ts',
    'held.number > chosen.since.number ? held : final',
    'held',
    'test/model/point.test.ts',
    'the one before it',
  ),
  bug(
    'S4',
    'disk/target-disk.ts',
    "if (held.ledger.state.phase !== 'open') await",
    "if (held.ledger.state.phase !== 'open' && decision !== 'reopen') await",
    used,
    'only then is it written',
  ),
  bug(
    'S3',
    'disk/used-disk.ts',
    'if (digest.of(found).equals(ledger.table.digestOf(block))) return [];',
    'if (found.byteLength > 0) return [];',
    used,
    'nothing else is fetched',
  ),
  bug('S8', 'disk/lineage.ts', 'if (uses >= seals) return;', 'if (uses > 0) return;', used, 'there and back'),
  bug(
    'S9',
    'disk/lineage.ts',
    'if (sealProof?.point !== wish.base)',
    'if (sealProof?.point === undefined)',
    used,
    'never guessed at',
  ),
  bug(
    'S1',
    'model/transition.ts',
    "if (from === 'ChangingPoint' && story.targetLive)",
    "if (from === 'ChangingPoint' && story.targetLive && story.cancellation)",
    'test/model/law-random.test.ts',
    'reaches an illegal state',
  ),
  bug(
    'S2',
    'model/transition.ts',
    "if (to === 'ChangingPoint') return rest;",
    "if (to === 'ChangingPoint') return story;",
    'test/model/another-point.test.ts',
    'counts no more',
  ),
  bug(
    'S5',
    'model/another-point.ts',
    'if (story.targetLive && acceptLoss !== true)',
    'if (story.targetLive && acceptLoss === undefined)',
    'test/model/another-point.test.ts',
    'needs the loss flag',
  ),
  bug('S1', reopen, 'needQuietTarget(target);', '', reopened, 'off a machine that runs'),
  bug(
    'S8',
    reopen,
    "if (uses < request.uses || (uses === request.uses && state !== 'returned')) return;",
    'if (uses <= request.uses) return;',
    reopened,
    'a late one is fenced',
  ),
  bug(
    'S4',
    reopen,
    "[stateOption('open'), usesOption(request.uses)]",
    '[usesOption(request.uses)]',
    reopened,
    'a late one is fenced',
  ),
  bug(
    'S2',
    'activities/retire.ts',
    'await sites.target(failback.target.site).observeReturned(openedRequest(input), work);',
    '',
    'test/story/left-out.test.ts',
    'deletes nothing',
  ),
  bug(
    'S2',
    'sites/vsphere/returned-look.ts',
    "if (mark.state !== 'returned')",
    "if (mark.state === 'recorded')",
    reopened,
    'told as home only while',
  ),
  bug(
    'S2',
    'sites/vsphere/returned-look.ts',
    'open.filter((disk) => !holds(machine, disk))',
    'open.filter((disk) => !holds(machine, disk) && machine.disks.length === 0)',
    reopened,
    'told as home only while',
  ),
  bug(
    'S8',
    'sites/vsphere/disk-guards.ts',
    'mark.uses <= uses) return;',
    'mark.uses >= uses) return;',
    reopened,
    'a late release',
  ),
  bug('S5', reopen, ' && !request.halfWay)', ')', reopened, 'stopped half-way'),
  bug('S11', 'sites/azure/readable-point.ts', 'mayBeOpen: true,', 'mayBeOpen: false,', edge, 'whose answer was lost'),
];
