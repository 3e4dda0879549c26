/**
 * Bugs planted in what keeps late attempts, silent calls and leftovers harmless.
 */
import { bug, type PlantedBug } from './bug.ts';

export const lateBugs: readonly PlantedBug[] = [
  bug(
    'S1',
    'activities/pulse.ts',
    'const silentMs = Math.max(monotonicMs - this.last.monotonicMs, wallMs - this.last.wallMs);',
    'const silentMs = monotonicMs - this.last.monotonicMs;',
    'test/activities/pulse.test.ts',
    'monotonic clock stood still',
  ),
  bug(
    'S1',
    'sites/azure/last-look.ts',
    'work.mayChange();',
    'void work;',
    'test/azure/observe-and-power.test.ts',
    'not the one any more sends no stop',
  ),
  bug(
    'S1',
    'sites/vsphere/session.ts',
    'if (methodEntry(method).changes) work.mayChange();',
    'if (method === undefined) work.mayChange();',
    'test/vsphere/faults.test.ts',
    'sends no start',
  ),
  bug(
    'S1',
    'sites/azure/last-look.ts',
    'await work.lastLook?.();',
    '',
    'test/azure/observe-and-power.test.ts',
    'was started while Azure let go of the machine',
  ),
  bug(
    'S1',
    'sites/vsphere/session.ts',
    'await hints.lastLook?.();',
    '',
    'test/vsphere/last-look.test.ts',
    'while the start waited for somebody else’s task',
  ),
  bug(
    'S5',
    'sites/azure/power.ts',
    "(vm) => vm.provisioningState !== 'Updating' && powerOf(powerSeen(vm)) !== 'changing',",
    "(vm) => powerOf(powerSeen(vm)) !== 'changing',",
    'test/azure/observe-and-power.test.ts',
    'a start waits until what Azure is doing',
  ),
  bug(
    'S8',
    'disk/attempts.ts',
    'if (order < (newest.get(key) ?? order))',
    'if (order < 0)',
    'test/disk/fencing.test.ts',
    'handed over first',
  ),
  bug(
    'S8',
    'disk/attempts.ts',
    '    stuck.abort();',
    '    stuck.signal.throwIfAborted();',
    'test/disk/io-deadline.test.ts',
    'never returns',
  ),
  bug(
    'S11',
    'disk/forget-disk.ts',
    'if (view.known && view.state.run !== run) return [folder.path];',
    "if (view.known && view.state.run === '') return [folder.path];",
    'test/disk/forget.test.ts',
    'a newer run',
  ),
  bug(
    'S12',
    'model/record-book.ts',
    'if (had < mostOfAKind)',
    'if (had < 1_000_000)',
    'test/model/record-book.test.ts',
    '5,000 holds',
  ),
];
