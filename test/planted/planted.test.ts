/**
 * The planted bugs do not rot: each line they replace still stands in its file, once, and each test that must notice
 * is there. Rule: cheap; whether they are noticed is shown by `npm run test:planted`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantedBugs } from './bugs.ts';

const root = join(__dirname, '..', '..');

test.each(plantedBugs.map((bug) => [bug.promise, bug.file, bug.line, bug] as const))(
  '%s a planted bug still fits %s: %s',
  (_promise, file, line, { instead, caughtBy, named }) => {
    expect(readFileSync(join(root, file), 'utf8').split(line)).toHaveLength(2);
    expect(instead).not.toBe(line);
    expect(existsSync(join(root, caughtBy))).toBe(true);
    if (named !== undefined) expect(readFileSync(join(root, caughtBy), 'utf8')).toContain(named);
  },
);

test.each(['S3', 'S4', 'S8', 'S9', 'S10'])('%s has planted bugs of its own', (promise) => {
  expect(plantedBugs.filter((bug) => bug.promise === promise).length).toBeGreaterThanOrEqual(5);
});
