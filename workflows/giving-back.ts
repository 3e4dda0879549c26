/**
 * Whether the machine at home may have its disks again, while they are returned to it.
 * Rule (S1): once a return may have changed anything it counts as given them, and the source starts only beside a machine that was seen
 * off. L6: while each try failed before its first change it has nothing to run, so that it may be found or not.
 */
import type { Standing } from './proven.ts';
import { wasUntouched } from './trouble.ts';

/** One try to return them. */
export async function giveBack<T>(target: Pick<Standing, 'returned'>, act: () => Promise<T>): Promise<T> {
  const { returned } = target;
  target.returned = true;
  try {
    return await act();
  } catch (error) {
    target.returned = returned || !wasUntouched(error);
    throw error;
  }
}
