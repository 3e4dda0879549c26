/**
 * Loads homeward.yaml: reads it, checks it against the law in model/inventory.ts, and tells ALL problems at once.
 * Rule: an inventory with one problem is not used at all. Never look anywhere but in the file that was named.
 */

import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { arrivalFaults } from '../model/arrival-faults.ts';
import { type Inventory, inventory } from '../model/inventory.ts';
import { contradictions, danglingReferences } from '../model/inventory-faults.ts';
import { shapeWords } from '../model/shape-words.ts';
import { limitFaults } from '../model/shared-limits.ts';
import { type Fault, type KeyPath, type ReadDocument, readDocument } from './document.ts';
import { type Finding, findings, type Issue, secretDepth, straySecrets, valueAt } from './issue.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';

export { ConfigError } from './problem.ts';

export interface LoadedInventory {
  readonly inventory: Inventory;
  /** The folder that relative paths of the inventory start from. */
  readonly folder: string;
  /** The file itself, absolute. */
  readonly path: string;
  /** Where in the file the value at these keys stands. */
  place(keys: KeyPath): { line: number; column: number };
}

export const defaultInventoryFile = 'homeward.yaml';

/** Which file is meant: the option, then HOMEWARD_CONFIG, then ./homeward.yaml. */
export const inventoryPath = (option?: string, env: NodeJS.ProcessEnv = process.env): string =>
  option ?? (env.HOMEWARD_CONFIG || defaultInventoryFile);

/** A path of the inventory as seen from the inventory's folder. */
export const resolvePath = (folder: string, path: string): string => (isAbsolute(path) ? path : resolve(folder, path));

const readErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; name it with --config or HOMEWARD_CONFIG, or write one (docs/operate.md shows how)',
  EISDIR: 'this is a folder; name the file in it',
  EACCES: 'the file may not be read by this user',
  ENOTDIR: 'a part of this path is a file and no folder; name the inventory itself',
  ELOOP: 'links lead in a circle here; name the file itself',
};

/** Reads and checks the inventory. Throws ConfigError with every problem. */
export async function loadInventory(path: string): Promise<LoadedInventory> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigError(path, [{ file: path, key: '', message: readErrors[code] ?? `cannot be read (${code})` }]);
  }
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new ConfigError(path, [
      {
        file: path,
        key: '',
        message: 'this is no text in UTF-8; save it so (an editor of Windows may have chosen UTF-16)',
      },
    ]);
  const text = bytes.toString('utf8');
  const absolute = resolve(path);
  const document = readDocument(text);
  return {
    inventory: checked(document, path),
    folder: dirname(absolute),
    path: absolute,
    place: (keys) => document.place(keys, 'value'),
  };
}

/** Checks the text of an inventory; `file` only names it in problems. Throws ConfigError with every problem. */
export const parseInventory = (text: string, file: string): Inventory => checked(readDocument(text), file);

function checked(document: ReadDocument, file: string): Inventory {
  const fail = (problems: readonly ConfigProblem[]): never => {
    const order = (problem: ConfigProblem) => (problem.line ?? 0) * 100_000 + (problem.column ?? 0);
    throw new ConfigError(
      file,
      [...distinct(problems)].sort((a, b) => order(a) - order(b)),
    );
  };
  if (document.faults.length > 0) fail(document.faults.map((fault) => fromFault(fault, file)));
  const empty = document.value === null || document.value === undefined;
  if (empty) fail([{ file, line: 1, column: 1, key: '', message: 'the file is empty; it needs at least "sites:"' }]);
  if (typeof document.value !== 'object' || Array.isArray(document.value))
    fail([{ file, line: 1, column: 1, key: '', message: 'the file must be keys and values, beginning with "sites:"' }]);
  const parsed = inventory.safeParse(document.value, { error: shapeWords });
  const misshapen = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => findings(issue as Issue, [], document.value));
  const sound = parsed.success ? parsed.data : soundParts(document.value);
  // What is misshapen is said once; what it would mean together with other parts can wait.
  const said = new Set(misshapen.map(({ path }) => path.join('.')));
  const together = [
    ...danglingReferences(sound),
    ...contradictions(sound),
    ...arrivalFaults(sound),
    ...limitFaults(sound),
  ];
  const faults = together.filter(({ at }) => !said.has(at.join('.')));
  const found = [...misshapen, ...faults.map(({ at, message }): Finding => ({ path: at, at: 'value', message }))];
  const problems = [...found, ...straySecrets(document.value)];
  if (problems.length > 0 || !parsed.success) return fail(problems.map((one) => fromFinding(one, document, file)));
  return parsed.data;
}

/** What a machine must at least say to be judged. */
const addressed = [['source', 'site'], ['source', 'path'], ['target', 'site'], ['target', 'path'], ['mover']];

/**
 * What of a faulty inventory is sound enough to follow its references, so that one typing error does not hide another.
 * A machine whose mover or address is itself misshapen is left out: what it refers to cannot be judged yet.
 */
function soundParts(value: unknown): Inventory {
  const records = (at: string): [string, unknown][] => Object.entries((valueAt(value, [at]) ?? {}) as object);
  const isText = (part: unknown, path: readonly string[]) => typeof valueAt(part, path) === 'string';
  const movers = records('movers');
  const misshapen = new Set(movers.filter(([, mover]) => !isText(mover, ['site'])).map(([name]) => name));
  const machines = records('machines')
    .filter(([, one]) => addressed.every((path) => isText(one, path)))
    .filter(([, one]) => !misshapen.has(String(valueAt(one, ['mover']))))
    .map(([name, one]) => [name, isText(one, ['policy']) ? one : { ...(one as object), policy: 'default' }]);
  // Which rules are right is judged by the schema; here only the names count that they stand under.
  const named = (part: string) =>
    Object.keys((valueAt(value, ['limits', part]) ?? {}) as object).map((key) => [key, []]);
  const links = records('links').filter(([, one]) => Array.isArray(valueAt(one, ['movers'])));
  return {
    temporal: {},
    links: Object.fromEntries(links),
    limits: Object.fromEntries(['movers', 'sites', 'links'].map((part) => [part, Object.fromEntries(named(part))])),
    sites: Object.fromEntries(records('sites')),
    movers: Object.fromEntries(movers.filter(([name]) => !misshapen.has(name))),
    policies: Object.fromEntries(records('policies')),
    machines: Object.fromEntries(machines),
  } as Inventory;
}

/** In a text that could not be parsed a "key" may be anything; what does not look like one, or may be a secret, is cut. */
function showable(path: readonly string[]): readonly string[] {
  const odd = path.findIndex((segment) => !/^[A-Za-z0-9_.-]{1,63}$/.test(segment));
  const depth = secretDepth(path);
  return path.slice(0, Math.min(odd < 0 ? path.length : odd, depth > 0 ? depth : path.length));
}

const fromFault = (fault: Fault, file: string): ConfigProblem => ({
  file,
  line: fault.line,
  column: fault.column,
  key: showable(fault.path).join('.'),
  message: fault.message,
});

const fromFinding = (finding: Finding, document: ReadDocument, file: string): ConfigProblem => ({
  file,
  ...document.place(finding.path, finding.at),
  key: finding.path.join('.'),
  message: finding.message,
});

/** A union's branches may complain about the same thing; once is enough. */
function distinct(problems: readonly ConfigProblem[]): Iterable<ConfigProblem> {
  return new Map(problems.map((problem) => [`${problem.key}\n${problem.message}`, problem])).values();
}
