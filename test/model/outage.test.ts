/**
 * The list of the times in which nobody served.
 */
import { noOutage, outageBegins, outageEnds, outagesTogether } from '../../model/outage.ts';

const at = (second: number): string => new Date(second * 1000).toISOString();

test('S5 each outage is kept when the next begins, and all are told together', () => {
  const first = outageBegins({}, at(10));
  expect(outageBegins(first, at(12))).toEqual({});
  const over = { ...first, ...outageEnds(first, at(15)) };
  expect(outageEnds(over, at(99))).toEqual({});
  const second = { ...over, ...outageBegins(over, at(40)) };
  expect(second).toEqual({
    outage: { startedAt: at(40) },
    outagesBefore: [{ startedAt: at(10), endedAt: at(15) }],
  });
  expect(outagesTogether(second, 47_000)).toEqual({ count: 2, ms: 12_000 });
  expect(outagesTogether({}, 47_000)).toBeUndefined();
});

test('S12 an outage that turns out to be none leaves those before it as they were', () => {
  const over = { outage: { startedAt: at(10), endedAt: at(15) } };
  const second = { ...over, ...outageBegins(over, at(40)) };
  expect(noOutage(second)).toEqual(over);
  const third = { outage: { startedAt: at(40) }, outagesBefore: [over.outage, { startedAt: at(20), endedAt: at(25) }] };
  expect(noOutage(third)).toEqual({ outage: third.outagesBefore[1], outagesBefore: [over.outage] });
  expect(noOutage({ outage: { startedAt: at(10) } })).toEqual({});
  expect([noOutage(over), noOutage({})]).toEqual([{}, {}]);
});
