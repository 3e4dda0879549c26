/**
 * `homeward preflight <machine>`: asks both sides whether the way home is clear.
 * Rule: changes nothing; exits 3 when something stands in the way or is waited for, so that scripts can rely on it, and 6 while a run is
 * under way: what that run has made is told as its own, and no second one can start.
 */
import type { Command } from 'commander';
import { verdictOf } from '../../model/check.ts';
import { wayOf } from '../../model/creation.ts';
import { type FailbackInput, moverQueue, type PreflightQuestion } from '../../model/failback-input.ts';
import { forecastStart, underLimit } from '../../model/forecast.ts';
import { lowestRate } from '../../model/shared-limits.ts';
import type { Link } from '../connect.ts';
import { afterCommit } from '../home-already.ts';
import { withPatience } from '../patience.ts';
import { exitCodes } from '../problem.ts';
import { copyText } from '../render/ahead.ts';
import { renderChecks, renderChecksDuring } from '../render/checks.ts';
import { preflightPage } from '../render/checks-page.ts';
import { locationWords } from '../render/location.ts';
import { placeForReport, writeReport } from '../report-file.ts';
import { whoTypes } from '../screen.ts';
import { ownVersion } from '../version.ts';
import { isOpen } from '../view.ts';
import { type Context, contextOf, inputFor, withTemporal } from './context.ts';
import { seconds } from './parse.ts';
import { tellUnattended } from './status.ts';

interface Options {
  readonly wait: number;
  readonly html?: string;
}

export function addPreflight(program: Command): void {
  program
    .command('preflight')
    .description('ask both sides whether the way home is clear; changes nothing')
    .argument('<machine>', 'a machine of the inventory')
    .option('--wait <seconds>', 'how long to wait for the answer', seconds(1, 3_600), 300)
    .option('--html <file>', 'write the answer as a page too, one file that needs nothing else')
    .action(async (machine: string, options: Options, command: Command) => {
      const context = await contextOf(command);
      const { screen, loaded } = context;
      const input = inputFor(loaded.inventory, machine);
      const file = options.html === undefined ? undefined : await placeForReport('--html', options.html);
      const askedAt = Date.now();
      const [report, measured, last] = await askAbout(context, input, options.wait * 1000);
      const answeredAt = Date.now();
      const underWay = last && isOpen(last) ? { run: last.runId, phase: last.phaseSeen ?? 'unknown' } : undefined;
      const { sizesBytes, askedAs } = report;
      const commit = underWay ? undefined : last?.committed;
      const checks = commit ? afterCommit(machine, commit, report.checks) : report.checks;
      const verdict = verdictOf(checks);
      const blocked = verdict !== 'clear';
      const limit = lowestRate(loaded.inventory, input.mover.name, input.source.site, askedAt);
      const ahead = sizesBytes.length > 0 ? underLimit(forecastStart(sizesBytes, measured), limit) : undefined;
      const bound = ahead && copyText(ahead);
      if (file !== undefined) {
        const { source, target, mover, policy } = input;
        const way = { sync: policy.sync, write: wayOf(input) };
        const location = locationWords(input);
        const by = whoTypes();
        const version = ownVersion();
        const said = {
          machine,
          source,
          target,
          location,
          mover,
          way,
          askedAt,
          answeredAt,
          askedAs,
          by,
          version,
          checks,
        };
        await writeReport('--html', file, preflightPage({ ...said, bound, underWay: underWay?.phase }));
        screen.note(`homeward: the report is in ${file}`);
      }
      const answer = {
        ...{ machine, blocked, verdict, checks },
        ...(ahead ? { forecast: ahead } : {}),
        ...(underWay ? { underWay } : {}),
        ...(file === undefined ? {} : { html: file }),
      };
      screen.answer(() => {
        if (underWay) return renderChecksDuring(machine, underWay.phase, checks, screen.style);
        return `${renderChecks(machine, checks, screen.style)}${bound === undefined ? '' : `\n${bound}`}`;
      }, answer);
      if (underWay) process.exitCode = exitCodes['already-running'];
      else if (blocked) process.exitCode = exitCodes.refused;
    });
}

/** The checks, what the machine's last run measured, and its last run. */
async function askAbout(context: Context, input: FailbackInput, timeoutMs: number) {
  const { machine } = input;
  const { preflight } = await import('../preflight.ts');
  const { measuredBefore } = await import('../earlier.ts');
  const { lastRun } = await import('../last-run.ts');
  return await withTemporal(context, async (link) => {
    let waits = `asking Temporal for the last run of ${machine}`;
    const ask = async () => {
      const last = await lastRun(link, machine);
      const isUnderWay = last !== undefined && isOpen(last);
      if (isUnderWay) waits = `asking the run of ${machine} how it was started`;
      const question = isUnderWay ? await duringRun(link, context, input, last.runId) : input;
      const told = (taken: boolean): void => {
        waits = taken
          ? `asking both sides about ${machine}`
          : `waiting for a control worker to take the question about ${machine}`;
      };
      told(true);
      const asked = Promise.all([preflight(link, question, timeoutMs, told), measuredBefore(link, machine)]);
      return { question, last, answers: await asked };
    };
    const { question, last, answers } = await withPatience(() => waits, ask(), context.screen.json);
    await tellUnattended(link, [moverQueue(question.mover.name)], context.screen);
    return [...answers, last] as const;
  });
}

/** The question about the run itself: with what it was started with, as far as it says so. */
async function duringRun(
  link: Link,
  { loaded }: Context,
  input: FailbackInput,
  underWay: string,
): Promise<PreflightQuestion> {
  const { asUnderWay } = await import('../preflight.ts');
  const { observe } = await import('../observe.ts');
  const { status } = await observe(link, input.machine);
  return status ? asUnderWay(input, status, loaded.inventory.movers) : { ...input, underWay };
}
