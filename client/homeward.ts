#!/usr/bin/env node
/**
 * The command `homeward`: the ops tool on the command line.
 * Rule: it only asks and says; every effect is a worker's. Errors are one sentence what, one what to do, and an exit code.
 */
import { Command, CommanderError } from 'commander';
import { addConfig } from './command/config.ts';
import { addEvidence } from './command/evidence.ts';
import { addLimits } from './command/limits.ts';
import { addMachines } from './command/machines.ts';
import { addMessages } from './command/messages.ts';
import { addMover } from './command/mover.ts';
import { addPreflight } from './command/preflight.ts';
import { addStart } from './command/start.ts';
import { addStatus } from './command/status.ts';
import { exitCodeMeaning, exitCodes, Problem } from './problem.ts';
import { report } from './screen.ts';

const exitCodeHelp = Object.entries(exitCodeMeaning)
  .map(([kind, meaning]) => `  ${exitCodes[kind as keyof typeof exitCodes]}  ${meaning}`)
  .join('\n');

const environmentHelp = [
  '  HOMEWARD_CONFIG    the inventory, when --config is not given (else ./homeward.yaml)',
  '  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, …   beat the Temporal profile, which beats homeward.yaml',
  '  NO_COLOR           no colours',
  '  HOMEWARD_DEBUG=1   stack traces',
].join('\n');

/** The whole command line, not yet parsed. */
export function buildProgram(): Command {
  const program = new Command('homeward')
    .description('Brings machines home: failback from Azure to VMware, on Temporal.')
    .option('--config <file>', 'the inventory')
    .option('--json', 'answers on stdout and errors on stderr as JSON, one value a line')
    .addHelpText('after', `\nExit codes:\n${exitCodeHelp}\n\nEnvironment:\n${environmentHelp}`);
  quiet(program);
  addMachines(program);
  addPreflight(program);
  const failback = program.command('failback').description('bring a machine home, and steer the run');
  addStart(failback);
  addStatus(failback);
  addMessages(failback);
  addEvidence(failback);
  addStatus(program);
  addMover(program);
  addLimits(program);
  addConfig(program);
  for (const command of everyCommand(program)) quiet(command);
  return program;
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];

/** Commander's own complaints become problems like all others; help goes where help goes. */
function quiet(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
}

/** Runs one command line and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error, json);
    if (error.exitCode === 0) return exitCodes.ok;
    if (error.code === 'commander.help') return exitCodes.usage;
    return report(
      new Problem('usage', error.message.replace(/^error: /, '').replaceAll('\n', ' '), helpAdvice(args)),
      json,
    );
  }
}

function helpAdvice(args: readonly string[]): string {
  const program = buildProgram();
  const words = args.filter((word) => !word.startsWith('-'));
  const first = program.commands.find((command) => command.name() === words[0]);
  const second = first?.commands.find((command) => command.name() === words[1]);
  return `Read: homeward ${[first, second]
    .filter((one) => one !== undefined)
    .map((one) => `${one.name()} `)
    .join('')}--help`;
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
