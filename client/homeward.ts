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
import { configIn } from './pasteable.ts';
import { exitCodeMeaning, exitCodes, Problem } from './problem.ts';
import { report } from './screen.ts';
import { endWithReader } from './streams.ts';
import { ownVersion } from './version.ts';

const exitCodeHelp = Object.entries(exitCodeMeaning)
  .map(([kind, meaning]) => `  ${exitCodes[kind as keyof typeof exitCodes]}  ${meaning}`)
  .join('\n');

const wayHelp = [
  'The way of one machine, and what to type when it stands (docs/operate.md tells all of it):',
  '  homeward preflight <machine>           is the way home clear?',
  '  homeward failback start <machine>      copy it home while it goes on serving in Azure',
  '  homeward status <machine>              where it stands, what it waits for, what to type next',
  '  homeward failback complete <machine>   stop it in Azure, start it at home',
  '  homeward failback commit <machine>     keep it at home, delete it in Azure; until then `cancel` takes it back',
  '  homeward failback resolve <machine>    after phase NeedsOperator',
].join('\n');

const environmentHelp = [
  '  HOMEWARD_CONFIG    the inventory, when --config is not given',
  '  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, …   beat the Temporal profile, which beats homeward.yaml',
  '  NO_COLOR           no colours',
  '  HOMEWARD_DEBUG=1   stack traces',
].join('\n');

/** The whole command line, not yet parsed. */
export function buildProgram(): Command {
  const program = new Command('homeward')
    .description('Brings machines home: failback from Azure to VMware, on Temporal.')
    .version(ownVersion(), '--version', 'print the versions of Homeward and of Node')
    .option('--config <file>', 'the inventory; else HOMEWARD_CONFIG, else ./homeward.yaml')
    .option('--json', 'answers on stdout and errors on stderr as JSON, one value a line')
    .addHelpText('after', `\n${wayHelp}\n\nExit codes:\n${exitCodeHelp}\n\nEnvironment:\n${environmentHelp}`);
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
  command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true });
}

/** Runs one command line and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const config = configIn(args);
  endWithReader();
  if (json && !args.some((word) => isHelp(word)) && wordsOf(args).length === 0)
    return report(new Problem('usage', 'no command was given', 'Read: homeward --help'), json, config);
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error, json, config);
    if (error.exitCode === 0) return exitCodes.ok;
    if (error.code === 'commander.help') return exitCodes.usage;
    return report(
      new Problem('usage', error.message.replace(/^error: /, '').replaceAll('\n', ' '), helpAdvice(args)),
      json,
      config,
    );
  }
}

const isHelp = (word: string): boolean => ['--help', '-h', '--version', 'help'].includes(word);

/** What is no option, nor the file of `--config`, which may stand before the command. */
const wordsOf = (args: readonly string[]): string[] =>
  args.filter((word, at) => !word.startsWith('-') && args[at - 1] !== '--config');

function helpAdvice(args: readonly string[]): string {
  const program = buildProgram();
  const words = wordsOf(args);
  const named = (commands: readonly Command[], word: string | undefined) =>
    commands.find((command) => command.name() === word);
  const first = named(program.commands, words[0]);
  const second = first && named(first.commands, words[1]);
  const meant = groupMeant(program, args, words);
  if (meant !== undefined) return `Type: homeward ${meant}`;
  return `Read: homeward ${[first, second]
    .filter((one) => one !== undefined)
    .map((one) => `${one.name()} `)
    .join('')}--help`;
}

/** `commit erp-db`, `reassign erp-db` and `failback erp-db commit` are what people type who know what they want. */
function groupMeant({ commands }: Command, args: readonly string[], words: readonly string[]): string | undefined {
  const [first, second, third] = words;
  const has = (group: Command | undefined, word: string | undefined): boolean =>
    group?.commands.some((verb) => verb.name() === word) === true;
  const named = commands.find((command) => command.name() === first);
  if (!named) {
    const group = commands.find((command) => has(command, first));
    return group && `${group.name()} ${args.join(' ')}`;
  }
  if (has(named, second) || !has(named, third)) return undefined;
  const rest = args.filter((word) => word !== first && word !== second && word !== third);
  return [first, third, second, ...rest].join(' ');
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
