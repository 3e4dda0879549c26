/**
 * The command lines of the programs beside `homeward`: the workers, the lab, the demo.
 * Rule: what is not understood ends as a usage problem that says what to read, before anything was started.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { Problem } from './problem.ts';
import { endWithReader } from './streams.ts';

export interface Usage {
  /** As it is typed: `npm run mover --`. */
  readonly program: string;
  /** All of the help. */
  readonly text: string;
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/** Reads the options. Undefined when help was asked for, which is then printed. Throws Problem `usage`. */
export function readOptions<const O extends ParseArgsOptionsConfig>(
  usage: Usage,
  options: O,
  args: readonly string[] = process.argv.slice(2),
): Values<O> | undefined {
  if (args.some((word) => word === '--help' || word === '-h' || word === 'help')) {
    endWithReader();
    process.stdout.write(`${usage.text}\n`);
    return undefined;
  }
  try {
    return parseArgs({ options, args: [...args] }).values as Values<O>;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's second sentence teaches how to pass the mistake on; nobody wants that.
    const [what = ''] = error.message.split(/\. |\n/, 1);
    const near = closest(/'--?([^'\s]+)/.exec(what)?.[1] ?? '', Object.keys(options));
    const meant = near ? ` (did you mean --${near}?)` : '';
    throw new Problem('usage', `${what}${meant}`, `Read: ${usage.program} --help`, error);
  }
}
