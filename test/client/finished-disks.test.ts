/** A disk that is done with while others are still copied or sealed looks so, and never one that is not. */
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { Pending } from '../../client/view.ts';
import type { Phase } from '../../model/phase.ts';
import { now, statusIn, viewOf } from './views.ts';

const wide = { ...plainStyle, width: 120 };
const step = (activity: string, disk: string, more: Partial<Pending> = {}): Pending => ({
  ...{
    activity,
    activityId: `${activity.replace('Disk', '')}-${disk}`,
    workflowId: 'w',
    attempt: 1,
    paused: false,
    ...more,
  },
});
/** The line of the OS disk, beside what else is under way. */
const osIn = (phase: Phase, ...pending: Pending[]): string | undefined =>
  renderStatus(viewOf(statusIn(phase), { pending }), now, wide)
    .split('\n')
    .find((line) => line.startsWith('  os '));
const untold = '  os      30.0 GiB';

test('R11 a disk whose copy has ended beside one that is still copied is told to be copied and proven, in every phase that copies', () => {
  for (const phase of ['Seeding', 'Syncing', 'FinalSync', 'ChangingPoint'] as const)
    expect(osIn(phase, step('transferDisk', 'data-0'))).toBe(`${untold}  copied and proven`);
  expect(osIn('Seeding', step('transferDisk', 'data-0-2'))).toBe(`${untold}  copied and proven`);
  expect(osIn('Sealing', step('sealDisk', 'data-0'))).toBe(`${untold}  sealed`);
});

test('R11 a disk whose copy waits for a worker, and disks of which none is copied, are told as nothing', () => {
  const other = step('transferDisk', 'data-0');
  expect(osIn('Seeding', other, step('transferDisk', 'os'))).toBe(untold);
  expect(osIn('Seeding', other, step('transferDisk', 'os-2'))).toBe(untold);
  expect(osIn('Syncing')).toBe(untold);
  expect(osIn('Syncing', step('scrubDisk', 'data-0'))).toBe(untold);
  // One of the copies has failed, and the others are being stopped for that.
  expect(osIn('Seeding', step('transferDisk', 'data-0', { cancelling: true }))).toBe(untold);
});
