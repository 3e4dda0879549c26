/**
 * `npm run bench [-- --quick] [-- --json FILE] [-- --only NAME] [-- --dir FOLDER]`: measures, prints the table, and after a
 * whole run writes docs/performance.json and the table in docs/performance.md.
 * Rule: a copy that is wrong, or a contestant that fails, ends the bench with 1 and writes nothing, a wrong option with 2; a peer that is missing
 * makes its row say so, loudly.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine } from './machine.ts';
import { benchOptions, Misuse, usage } from './options.ts';
import { tableOf, withTable } from './report.ts';
import { measured, missing, type Report, type Result, reached, type SizePoint } from './result.ts';
import type { RowName } from './rows.ts';
import { Stage } from './stage.ts';
import type { Plan, Suite } from './suite.ts';
import { suites } from './suites.ts';

function optionsOrEnd() {
  try {
    return benchOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const values = optionsOrEnd();

const startedAt = performance.now();
const say = (text: string): void =>
  void process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);

function chosen(only: string | undefined): readonly Suite[] {
  if (only === undefined) return suites;
  // Every mover's memory is a part of this row.
  if (only === 'mover-memory') return suites;
  return suites.filter((suite) => (suite.rows as readonly string[]).includes(only));
}

function memoryRow(peaks: readonly number[]): Result {
  const name: RowName = 'mover-memory';
  if (peaks.length === 0) return missing(name, 'no mover ran');
  return measured(name, peaks, 'only the busy one is connected to Temporal', (all) => Math.max(...all));
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
    rounds: values.rounds,
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
