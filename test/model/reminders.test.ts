/** How often a run reminds: at the policy's pace, and never so often that its history fills. */
import { reminderDueMs } from '../../model/reminders.ts';

const day = 86_400_000;

test('L4 the first reminders come at the policy’s own pace', () => {
  expect([1, 2, 20].map((number) => reminderDueMs(14_400, number))).toEqual([14_400_000, 28_800_000, 288_000_000]);
});

test.each([1, 60, 14_400])('L1 a wait of a year that reminds every %i s costs 2,100 events at the most', (seconds) => {
  let reminders = 0;
  while (reminderDueMs(seconds, reminders + 1) < 365 * day) reminders++;
  expect(reminders).toBeGreaterThan(300);
  expect(reminders * 5).toBeLessThan(2_100);
});

test('L4 a pause that is longer than a day stays as it is', () => {
  const week = 7 * day;
  expect(reminderDueMs(week / 1000, 25) - reminderDueMs(week / 1000, 24)).toBe(week);
});
