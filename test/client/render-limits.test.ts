/** R11: what a screen and a line for logs say of a limit that holds a copy back. */
import { renderLine } from '../../client/render/line.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { now, syncing } from './views.ts';

const limit = { bytesPerSecond: 20 * 1024 ** 2, by: 'link wan', holdsBack: true };
const limited = { ...syncing, transfers: syncing.transfers.map((one) => ({ ...one, limit })) };

test('R11 a limit is shown with what it is put on and whether it holds the copy back', () => {
  expect(renderStatus(limited, now, plainStyle)).toContain(
    '  Limit 20.0 MiB/s by link wan, which holds the copy back.',
  );
  const free = limited.transfers.map((one) => ({ ...one, limit: { ...limit, holdsBack: false } }));
  expect(renderStatus({ ...limited, transfers: free }, now, plainStyle)).toContain('does not hold the copy back');
  expect(renderLine(limited)).toContain('; held back to 20.0 MiB/s by link wan; waits for');
  expect(renderLine({ ...limited, transfers: free })).not.toContain('link wan');
});

test('R11 under a limit a bar has the rate of what was sent: zeros are written without it', () => {
  const sent = syncing.transfers.map((one) => ({ ...one, sentPerSecond: one.bytesPerSecond / 7 }));
  expect(renderStatus({ ...syncing, transfers: sent }, now, plainStyle)).toContain('copying  112.0 MiB/s');
  const slowed = sent.map((one) => ({ ...one, limit }));
  expect(renderStatus({ ...syncing, transfers: slowed }, now, plainStyle)).toContain('copying  16.0 MiB/s');
});
