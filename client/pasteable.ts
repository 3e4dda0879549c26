/**
 * Commands in texts, as they work here: whoever named an inventory gets it back in every command that is advised.
 * Rule: only `--config` is added, and not to a question for help; HOMEWARD_CONFIG holds for what is pasted, too.
 */

const advised =
  /\bhomeward(?=\s+(?:failback|status|preflight|machines|mover|limits|config)\b)(?![^\n]*--(?:config|help)\b)/g;
const plainWord = /^[\w./@%+=:,-]+$/;

/** As a word of the shell. */
const quoted = (word: string): string => (plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** `config`: as it was typed; undefined where nothing was. */
export const pasteable = (text: string, config: string | undefined): string =>
  config ? text.replace(advised, () => `homeward --config ${quoted(config)}`) : text;

/** What `--config` names on a command line that may not be understood otherwise. */
export function configIn(args: readonly string[]): string | undefined {
  const at = args.findLastIndex((word) => word === '--config' || word.startsWith('--config='));
  const word = args[at];
  return word?.startsWith('--config=') ? word.slice('--config='.length) : word && args[at + 1];
}
