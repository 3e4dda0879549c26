/**
 * What the bench is asked for on its command line.
 * Rule: a mistake is told in one line before anything is measured, and ends it with 2.
 */
import { existsSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isRowName, rowNames } from './rows.ts';

export const usage = `npm run bench -- [options]
  --quick        smaller disks and fewer rounds, under three minutes; figures to look at, not to quote
  --only NAME    only the suite that measures this row (mover-memory: all of them): ${rowNames.join(', ')}
  --json FILE    writes {machine, results: [{name, value, unit, rounds, goal}]} there
  --dir FOLDER   where the targets are made; a real disk, not memory (default: the system's temporary folder)
  --from FILE    measures nothing: writes docs/performance.json and the table from what --json wrote earlier
  --rounds N     how often everything is measured (default 3)
A goal that is missed is told and is no failure: the exit code is 0. It is 1 when a copy is wrong or a contestant fails, 2 for a wrong option.`;

/** The user's mistake, told without a stack. */
export class Misuse extends Error {}

const must = (right: boolean, otherwise: string): void => {
  if (!right) throw new Misuse(otherwise);
};

function parsed(args: readonly string[]) {
  const options = {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    dir: { type: 'string' },
    from: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Misuse(`${(error as Error).message.split('. ')[0]}. See npm run bench -- --help`);
  }
}

export function benchOptions(args: readonly string[]) {
  const { rounds, ...values } = parsed(args);
  const { only, dir, from } = values;
  must(only === undefined || isRowName(only), `there is no row ${only}; there are ${rowNames.join(', ')}`);
  must(/^[1-9]\d?$/.test(rounds), `--rounds ${rounds}: a number from 1 to 99`);
  must(
    dir === undefined || statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true,
    `--dir ${dir}: no folder`,
  );
  must(from === undefined || existsSync(from), `--from ${from}: there is no such file`);
  return { ...values, rounds: Number(rounds) };
}
