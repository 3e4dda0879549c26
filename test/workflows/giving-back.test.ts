/** What counts of the machine at home after a try to return its disks that failed. */
import { ApplicationFailure } from '@temporalio/common';
import { giveBack } from '../../workflows/giving-back.ts';

const failing = (detail: object) => async (): Promise<never> => {
  throw ApplicationFailure.create({ type: 'Refused', nonRetryable: true, details: [detail] });
};
const untouched = failing({ op: 'FindByInventoryPath', untouched: true });
const unknown = failing({ op: 'ReconfigVM_Task' });

test('S1 L6 the machine at home counts as given its disks from the first try that may have changed something, and while one is under way', async () => {
  const target = { returned: false };
  await expect(giveBack(target, untouched)).rejects.toThrow();
  expect(target.returned).toBe(false);

  await expect(giveBack(target, unknown)).rejects.toThrow();
  expect(target.returned).toBe(true);
  // A later try tells of itself alone.
  await expect(giveBack(target, untouched)).rejects.toThrow();
  expect(target.returned).toBe(true);

  const next = { returned: false };
  expect(await giveBack(next, async () => next.returned)).toBe(true);
  expect(next.returned).toBe(true);
});
