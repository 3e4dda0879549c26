/**
 * What is wrong with data from outside, in words for whoever wrote it; given to zod with each parse (`{ error: shapeWords }`).
 * Rule: it says what was expected and of what kind the written is, never the written itself, which may be a secret (S13). What
 * a schema says in words of its own stands.
 */
import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

const kindOf = (name: string): string => kinds[name] ?? name;
const kindIn = (input: unknown): string => kindOf(Array.isArray(input) ? 'array' : typeof input);

type Bound = Extract<RawIssue, { code: 'too_small' | 'too_big' }>;

/** `least`: the bound is the lower one. */
function boundWords({ origin, inclusive }: Bound, bound: number | bigint, least: boolean): string {
  if (origin === 'string' && least && bound === 1) return 'must not be empty';
  const of = origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
  const verb = of === '' ? 'be' : 'have';
  if (inclusive === false) return `must ${verb} ${least ? 'more' : 'less'} than ${bound}${of}`;
  return `must ${verb} ${bound}${of} or ${least ? 'more' : of === '' ? 'less' : 'fewer'}`;
}

function wrongWords(issue: RawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `expected ${kindOf(issue.expected)}`;
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
  if (issue.code === 'too_small') return boundWords(issue, issue.minimum, true);
  if (issue.code === 'too_big') return boundWords(issue, issue.maximum, false);
  if (issue.code === 'unrecognized_keys')
    return `unknown key${issue.keys.length > 1 ? 's' : ''} ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  if (issue.code === 'invalid_format' && issue.format === 'url') return 'this is not a URL like https://host/path';
  return undefined;
}

export function shapeWords(issue: RawIssue): string | undefined {
  const words = wrongWords(issue);
  if (words === undefined) return undefined;
  if (issue.input === undefined) return `is missing (${words})`;
  if (issue.input === null) return `is empty (${words})`;
  return issue.code === 'invalid_type' ? `${words}, not ${kindIn(issue.input)}` : words;
}
