/** L5: a control worker has a place for every machine's step although each machine's watch holds one for days. */
import { controlSlots } from '../../workers/control-slots.ts';

test.each([0, 1, 100, 1_000, 10_000])(
  'L5 with %i machines of the inventory and 400 others at the commit gate, the next step of each finds a place',
  (machines) => {
    const all = machines + 400;
    // Of each machine the watch over its source and the look at its probes.
    const watches = 2 * all;
    expect(controlSlots(machines) - watches).toBeGreaterThanOrEqual(all);
  },
);
