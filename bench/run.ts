/**
 * `npm run bench [-- --quick] [-- --json FILE] [-- --only NAME] [-- --dir FOLDER]`: measures, prints the table, and after a
 * whole run writes docs/performance.json and the table in docs/performance.md.
 * Rule: a copy that is wrong, or a contestant that fails, ends the bench with 1 and writes nothing; a peer that is missing
 * makes its row say so, loudly.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { tableOf, withTable } from './report.ts';
import { measured, missing, type Report, type Result, reached, type SizePoint } from './result.ts';
import { isRowName, type RowName, rowNames } from './rows.ts';
import { Stage } from './stage.ts';
import type { Plan, Suite } from './suite.ts';
import { suites } from './suites.ts';

const usage = `npm run bench -- [options]
  --quick        smaller disks and fewer rounds, under three minutes; figures to look at, not to quote
  --only NAME    only the suite that measures this row: ${rowNames.join(', ')}
  --json FILE    writes {machine, results: [{name, value, unit, rounds, goal}]} there
  --dir FOLDER   where the targets are made; a real disk, not memory (default: the system's temporary folder)
  --from FILE    measures nothing: writes docs/performance.json and the table from what --json wrote earlier
  --rounds N     how often everything is measured (default 3)`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    dir: { type: 'string' },
    from: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

const startedAt = performance.now();
const say = (text: string): void =>
  void process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);

function chosen(only: string | undefined): readonly Suite[] {
  if (only === undefined) return suites;
  // Every mover's memory is a part of this row.
  if (only === 'mover-memory') return suites;
  const found = isRowName(only) ? suites.filter((suite) => suite.rows.includes(only)) : [];
  if (found.length === 0) throw new Error(`there is no row ${only}; there are ${rowNames.join(', ')}`);
  return found;
}

function memoryRow(peaks: readonly number[]): Result {
  const name: RowName = 'mover-memory';
  if (peaks.length === 0) return missing(name, 'no mover ran');
  return measured(name, peaks, 'the worker’s library is loaded, but not connected', (all) => Math.max(...all));
}

async function writeJson(report: Report): Promise<void> {
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measureAll(stage: Stage, which: readonly Suite[]): Promise<Report> {
  const machine = await describeMachine(stage.folder);
  const peaks: number[] = [];
  const sizes: SizePoint[] = [];
  const peers: Record<string, string> = {};
  const plan: Plan = {
    quick: values.quick,
    rounds: Number(values.rounds),
    say,
    peak: (mib) => void peaks.push(mib),
    size: (point) => void sizes.push(point),
    peer: (name, version) => {
      peers[name] = version;
    },
  };
  const results: Result[] = [];
  const report = (more: readonly Result[]): Report => ({
    ...{ at: new Date().toISOString(), quick: values.quick, machine, peers, sizes },
    results: [...results, ...more],
  });
  for (const suite of which) {
    results.push(...(await suite.run(stage, plan)));
    // A long run that is cut off keeps the suites it has finished.
    await writeJson(report([]));
  }
  return report([memoryRow(peaks)]);
}

async function writeDocuments(report: Report): Promise<void> {
  const docs = join(import.meta.dirname, '..', 'docs');
  await writeFile(join(docs, 'performance.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const page = join(docs, 'performance.md');
  await writeFile(page, withTable(await readFile(page, 'utf8'), report));
  say('wrote docs/performance.json and the table in docs/performance.md');
}

function tellWorst(results: readonly Result[]): void {
  for (const result of results)
    if (result.value === null) say(`NOT MEASURED: ${result.name}: ${result.why}`);
    else if (reached(result) === false)
      say(`missed: ${result.name} is ${result.value.toPrecision(3)}, goal ${result.goal}`);
}

async function bench(): Promise<void> {
  if (values.help) return void process.stdout.write(`${usage}\n`);
  if (values.from !== undefined) return await writeDocuments(JSON.parse(await readFile(values.from, 'utf8')) as Report);
  const which = chosen(values.only);
  const stage = await Stage.open(values.dir);
  try {
    const report = await measureAll(stage, which);
    process.stdout.write(`${tableOf(report)}\n`);
    await writeJson(report);
    if (which.length === suites.length && !values.quick) await writeDocuments(report);
    tellWorst(report.results);
  } finally {
    await stage.close();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await bench().catch((error: unknown) => {
  process.stderr.write(`THE BENCH FAILED: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
