/**
 * Turns the schema's findings into sentences for the person who wrote the file.
 * Rule: below a key that holds a secret nothing that was written is repeated, not even a key (S13).
 */
import { closest } from './closest.ts';
import type { KeyPath } from './document.ts';
import { knownKeys, knownKinds } from './schema.ts';

/** The part of a zod issue that is read here. */
export interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
}

export interface Finding {
  readonly path: KeyPath;
  readonly at: 'key' | 'value';
  readonly message: string;
}

const secretKey = /^(secret|password|token|credentialSecret|apiKey)$|(Secret|Password|Token)$/i;
const secretAdvice = 'say where the secret is found: {file: path} or {env: NAME}';

/** Where along the path a secret is held, as a length of the path; 0 when nowhere. */
export const secretDepth = (path: KeyPath): number => path.findIndex((segment) => secretKey.test(segment)) + 1;

export function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const segment of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined;
    current = (current as Record<string, unknown>)[segment];
  }
  return current;
}

/** One finding for a secret that is missing or not written as a reference; `holder` is the path to it. */
function secretFinding(holder: KeyPath, written: unknown): Finding {
  if (written === undefined) return { path: holder, at: 'key', message: `is missing; ${secretAdvice}` };
  if (written === null) return { path: holder, at: 'key', message: `is empty; ${secretAdvice}` };
  if (typeof written === 'object')
    return { path: holder, at: 'value', message: `this is not a reference to a secret; ${secretAdvice}` };
  return {
    path: holder,
    at: 'value',
    message: `a secret may not stand in the inventory (its value is not repeated here); ${secretAdvice}, and change the secret if this file was shared`,
  };
}

function unknownKeys(issue: Issue, path: KeyPath, root: unknown): Finding[] {
  const known = knownKeys(path, root);
  return (issue.keys ?? []).map((key) => {
    const near = closest(key, known);
    const hint = near ? `did you mean "${near}"?` : known.length > 0 ? `known here: ${known.join(', ')}` : 'remove it';
    return { path: [...path, key], at: 'key', message: `unknown key; ${hint}` };
  });
}

/** The branch the writer probably meant: the one whose `kind` fits, then the one with the fewest complaints. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const wrongKind = (branch: readonly Issue[]) => branch.some((issue) => issue.path.join('.') === 'kind');
  const fitting = branches.filter((branch) => !wrongKind(branch));
  return [...fitting].sort((a, b) => a.length - b.length)[0];
}

function union(issue: Issue, path: KeyPath, root: unknown): Finding[] {
  const branches = issue.errors ?? [];
  const choices = branches.map(([first, ...more]) =>
    more.length === 0 && first?.path.length === 0 ? first.values : undefined,
  );
  if (choices.length > 0 && choices.every((values) => values !== undefined))
    return [{ path, at: 'value', message: `expected one of ${choices.flat().map(String).join(', ')}` }];
  const likely = likelyBranch(branches);
  if (likely) return likely.flatMap((inner) => findings(inner, path, root));
  const allowed = branches.flatMap((branch) =>
    branch.filter((inner) => inner.path.join('.') === 'kind').flatMap((inner) => inner.values ?? []),
  );
  const kindPath = path.at(-1) === 'kind' ? path : [...path, 'kind'];
  const known = allowed.length > 0 ? allowed : knownKinds(kindPath.slice(0, -1));
  const what = valueAt(root, kindPath) === undefined ? 'is missing' : 'is not known';
  return [{ path: kindPath, at: 'value', message: `${what}; use one of: ${known.join(', ')}` }];
}

/** What the schema says in words of its own does not say that nothing is there. */
const lacking = (what: 'is missing' | 'is empty', message: string): string =>
  message.startsWith(what) ? message : `${what} (${message})`;

/** Everything one issue of the schema means, as sentences with absolute paths. */
export function findings(issue: Issue, above: KeyPath, root: unknown): Finding[] {
  const path = [...above, ...issue.path.map(String)];
  const depth = secretDepth(path);
  const holder = path.slice(0, depth);
  if (depth > 0) return [secretFinding(holder, valueAt(root, holder))];
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path, root);
  if (issue.code === 'invalid_union') return union(issue, path, root);
  if (issue.code === 'invalid_key')
    return [{ path, at: 'key', message: issue.issues?.[0]?.message ?? 'this name cannot be used' }];
  const written = valueAt(root, path);
  const { code, expected, message } = issue;
  if (written === undefined) return [{ path, at: 'key', message: lacking('is missing', message) }];
  if (written === null)
    return [{ path, at: 'key', message: `${lacking('is empty', message)}; fill it in or remove the key` }];
  const quotes = code === 'invalid_type' && expected === 'string' && /^(number|boolean)$/.test(typeof written);
  return [{ path, at: 'value', message: quotes ? `${message}; put it in quotes` : message }];
}

/** What the schema cannot say: secrets in places where text is allowed. Such values are never repeated. */
export function straySecrets(value: unknown, path: KeyPath = []): Finding[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, entry]) => straySecrets(entry, [...path, key]));
  // A union whose kind is not known says nothing of what stands beside it: a secret is told whatever else is wrong.
  if (path[0] === 'sites' && value !== null && secretDepth(path) === path.length) return [secretFinding(path, value)];
  if (typeof value !== 'string') return [];
  if (path.at(-1) === 'env' && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(value))
    return [{ path, at: 'value', message: `this cannot be the name of an environment variable ${nameIt}` }];
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#]*@/i.test(value))
    return [{ path, at: 'value', message: 'a URL of the inventory may not carry a password; take it out' }];
  return [];
}

const nameIt = '(it is not repeated here); name the variable, not its value';
