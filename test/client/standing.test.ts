/**
 * A copy whose mover is dead, as it is told: from what the server says of its attempt to the bars, the line and the JSON.
 * Rule: what nobody carries on is never told as moving, however lately it moved.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { ahead } from '../../client/ahead.ts';
import { pendingOf } from '../../client/heartbeats.ts';
import { renderLine } from '../../client/render/line.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { View } from '../../client/view.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const MiB = 1024 ** 2;
const limit = { bytesPerSecond: 4 * MiB, by: 'mover m1', holdsBack: true };
const copying = {
  ...{ disk: 'data-0', stage: 'copying', doneBytes: 30 * MiB, totalBytes: 100 * MiB, bytesPerSecond: 12 * MiB },
  ...{ epoch: 1, listedBytes: 100 * MiB, limit },
};
const stamp = (seconds: number) => ({ seconds: (now - seconds * 1000) / 1000 });
const [scheduled, started] = [1, 2];
const heard = (seconds: number, state = started) => ({ state, lastHeartbeatTime: stamp(seconds) });

/** What a person sees of an attempt that the server describes so; its policy bears 30 s of silence. */
async function seen(attempt: object, name = 'transferDisk', report: object = copying): Promise<View> {
  const heartbeatDetails = { payloads: toPayloads(defaultPayloadConverter, report) };
  const activityOptions = { heartbeatTimeout: { seconds: 30 } };
  const activity = { activityId: 'transfer-data-0', activityType: { name }, heartbeatDetails, activityOptions };
  const raw = { pendingActivities: [{ ...activity, ...attempt }] };
  const description = { workflowId: 'w', raw } as unknown as WorkflowExecutionDescription;
  const live = await pendingOf(description, loadDataConverter(undefined), now);
  const status = statusIn('Seeding');
  return viewOf(status, { ...live, ...ahead(status, undefined, live.transfers) });
}
const picture = (view: View): string => renderStatus(view, now, { ...plainStyle, width: 200 });

test('L1 a live mover, heard some seconds ago, is told as copying, with its rate, its end and what holds it back', async () => {
  const view = await seen(heard(4));
  expect(view.transfers).toEqual([copying]);
  expect(picture(view)).toMatch(/data-0 .* 30% +copying +12\.0 MiB\/s/);
  expect(picture(view)).toMatch(/still about .*\n.*which holds the copy back/);
  expect(renderLine(view)).toContain('data-0 copying 30%; held back to 4.0 MiB/s');
});

test.each([
  ['was killed', heard(11), { notHeardSince: ago(11) }, 'not heard for 11 s', `data-0 not heard since ${ago(11)}`],
  [
    'was killed before its first beat',
    { state: started, lastStartedTime: stamp(23) },
    { notHeardSince: ago(23) },
    'not heard for 23 s',
    'data-0 not heard since',
  ],
  [
    'is missing',
    { ...heard(60, scheduled), scheduledTime: stamp(9) },
    { waitsFor: 'the mover' },
    'waits for the mover',
    'data-0 waits for the mover',
  ],
  [
    'failed',
    { ...heard(3, scheduled), nextAttemptScheduleTime: stamp(-9) },
    { waitsFor: 'its next attempt' },
    'waits for its next attempt',
    'data-0 waits for its next attempt',
  ],
])(
  'L1 a copy whose mover %s is no copy under way: no rate, no end, nothing that holds it back',
  async (_, attempt, stands, bar, line) => {
    const view = await seen(attempt);
    const still = { stage: 'waiting', bytesPerSecond: 0, limit: { ...limit, holdsBack: false }, stands };
    expect(view.transfers).toEqual([{ ...copying, ...still }]);
    expect(view.copy).toMatchObject({ listed: true, stands: true });
    expect(picture(view)).toMatch(new RegExp(`data-0 .* 30% +${bar} +30\\.0 MiB of 100\\.0 MiB`));
    expect(picture(view)).toContain('how long it takes is known once every copy is carried on');
    expect(picture(view)).not.toMatch(/ copying|still about|MiB\/s +30|which holds/);
    expect(renderLine(view)).toContain(line);
    expect(renderLine(view)).not.toMatch(/copying|held back/);
  },
);

test('the line of a watch says the same share of a disk as its bar', async () => {
  const view = await seen(heard(1), 'transferDisk', { ...copying, doneBytes: 7.5 * MiB });
  expect(renderLine(view)).toContain('data-0 copying 7%');
  expect(picture(view)).toMatch(/data-0 .* 7% +copying/);
});

test('L1 one disk that stands leaves no end to be told, whatever the others do; one that is paused has none either', async () => {
  const status = statusIn('Seeding');
  const dead = (await seen(heard(23))).transfers;
  const os = { ...copying, disk: 'os', stage: 'copying' } as const;
  expect(ahead(status, undefined, [os]).copy?.seconds).toBeDefined();
  expect(ahead(status, undefined, [...dead, os]).copy?.seconds).toBeUndefined();
  const paused = await seen({ ...heard(3, scheduled), paused: true });
  expect(paused.copy?.seconds).toBeUndefined();
  expect(picture(paused)).toMatch(/30% +paused/);
  expect(picture(paused)).not.toContain('which holds');
});

test('L1 a seal whose mover is dead is not told as sealing, and a scrub whose mover is dead is not taken for a copy', async () => {
  const sealing = { ...copying, doneBytes: 0, bytesPerSecond: 0, limit: undefined };
  expect(picture(await seen(heard(23), 'sealDisk', sealing))).toContain('its seal was not heard for 23 s');
  const scrub = await seen(heard(23), 'scrubDisk', { ...copying, stage: 'scrubbing' });
  expect(scrub.transfers[0]).toMatchObject({ stage: 'scrubbing', bytesPerSecond: 0 });
  expect(scrub.copy?.listed).toBe(false);
  expect(picture(scrub)).toContain('not heard for 23 s');
});
