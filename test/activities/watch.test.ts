/** When the watch over the source looks again, and when a person hears what it found. */
import { heardWithinMs, pauseMs } from '../../activities/watch.ts';

test('S1 a source that runs again is told within the time of the policy, although a finding is held back a moment', () => {
  for (const sourceWatchSeconds of [5, 30, 300])
    expect(pauseMs({ sourceWatchSeconds }) + heardWithinMs).toBeLessThanOrEqual(sourceWatchSeconds * 1000);
});

test('a watch that looks every second still pauses between its looks', () => {
  expect(pauseMs({ sourceWatchSeconds: 1 })).toBe(500);
});
