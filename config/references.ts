/**
 * What the inventory only names: secrets in files and environment variables, and certificate files. Are they there?
 * Rule (S13): a value is read only to see that it can be, and goes nowhere; what is told names the reference.
 * Never part of loading: the computer that sends messages needs no secret, only the workers do.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure } from '../model/failure.ts';
import { secretReference } from '../model/inventory.ts';
import type { KeyPath } from './document.ts';
import { type LoadedInventory, resolvePath } from './load.ts';
import type { ConfigProblem } from './problem.ts';
import { resolveSecret } from './secret.ts';

export interface ReferencesSeen {
  /** What a worker on this computer could not use, in the order of the file. */
  readonly missing: readonly ConfigProblem[];
  /** What can be used but should be kept better. */
  readonly advice: readonly string[];
}

/** Looks at every reference of the inventory, from this computer and with this process's environment. */
export function lookAtReferences(loaded: LoadedInventory): ReferencesSeen {
  const advice: string[] = [];
  const warn = (text: string): void => void advice.push(text);
  const missing = everyValue(loaded.inventory).flatMap(({ keys, value }) => {
    const message = wrong(keys, value, loaded.folder, warn);
    return message === undefined ? [] : [{ file: loaded.path, ...loaded.place(keys), key: keys.join('.'), message }];
  });
  return { missing: missing.sort((a, b) => a.line - b.line || a.column - b.column), advice };
}

interface Value {
  readonly keys: KeyPath;
  readonly value: unknown;
}

/** All values of the inventory, whatever the kind of site they belong to. */
function everyValue(value: unknown, keys: KeyPath = []): Value[] {
  if (typeof value !== 'object' || value === null) return [{ keys, value }];
  return [{ keys, value }, ...Object.entries(value).flatMap(([key, inner]) => everyValue(inner, [...keys, key]))];
}

/** Why the reference cannot be used; undefined when it can, or when this is no reference. */
function wrong(keys: KeyPath, value: unknown, folder: string, warn: (text: string) => void): string | undefined {
  if (keys.at(-1) === 'caFile' && typeof value === 'string') return wrongCertificate(resolvePath(folder, value));
  const reference = secretReference.safeParse(value);
  if (!reference.success) return undefined;
  try {
    resolveSecret(reference.data, folder, warn);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

function wrongCertificate(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return `the certificate file ${path} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`;
  }
  try {
    new X509Certificate(text);
    return undefined;
  } catch {
    // What the parser says about it helps nobody; the file may hold anything.
    return `${path} holds no certificate in PEM form`;
  }
}
