/** The bench's command line: a mistake is told in one line, before anything is measured. */
import { benchOptions, Misuse } from '../../bench/options.ts';

test.each([
  [['--onyl', 'x'], "Unknown option '--onyl'"],
  [['--only', 'nosuch'], 'there is no row nosuch; there are full-copy-vs-azcopy'],
  [['--rounds', 'x'], '--rounds x: a number from 1 to 99'],
  [['--dir', '/no/such/folder'], '--dir /no/such/folder: no folder'],
  [['--from', '/no/such/file'], '--from /no/such/file: there is no such file'],
])('%j is the user’s mistake, told in one line', (args, said) => {
  expect(() => benchOptions(args)).toThrow(Misuse);
  expect(() => benchOptions(args)).toThrow(said);
});

test('without options everything is measured, three times', () => {
  expect(benchOptions([])).toEqual({ quick: false, help: false, rounds: 3 });
  expect(benchOptions(['--quick', '--only', 'mover-memory', '--rounds', '5'])).toMatchObject({
    quick: true,
    only: 'mover-memory',
    rounds: 5,
  });
});
