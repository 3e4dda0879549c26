/**
 * Fetches a secret from where the inventory says it is found.
 * Rule (S13): errors and warnings name the reference, never the value; the value goes to the caller and nowhere else.
 */
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { type Failure, refused } from '../model/failure.ts';
import type { SecretReference } from '../model/inventory.ts';

/** More than any password, token or key needs; a bigger file is a mistake. */
const largestSecretBytes = 65_536;

export type Warn = (text: string) => void;
const emitWarning: Warn = (text) => process.emitWarning(text, 'HomewardWarning');

/** Any worker of a queue may take a step: by this a person finds the one that lacks something. */
const whoseProcess = (): string => `process ${process.pid} on ${hostname()}`;

const refuse = (subject: string, message: string, hint: string, cause?: unknown): Failure =>
  refused({
    op: 'resolve a secret',
    subject: `${subject} of ${whoseProcess()}`,
    message,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * The secret's text without one trailing line break. `folder` is the inventory's folder, for relative file names.
 * Throws a Refused failure when it is not there, empty, or cannot be read.
 */
export function resolveSecret(reference: SecretReference, folder: string, warn: Warn = emitWarning): string {
  return 'env' in reference ? fromEnvironment(reference.env) : fromFile(reference.file, folder, warn);
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw refuse(
      `env ${name}`,
      `the environment variable ${name} is ${value === '' ? 'empty' : 'not set'}`,
      `Set ${name} for ${whoseProcess()} and start that worker again, or let the inventory name another place.`,
    );
  return value;
}

function fromFile(file: string, folder: string, warn: Warn): string {
  const path = isAbsolute(file) ? file : resolve(folder, file);
  const subject = `file ${file}`;
  let text: string;
  try {
    const seen = statSync(path);
    if (!seen.isFile()) throw refuse(subject, `${path} is not a file`, 'Name a file that holds only the secret.');
    if (seen.size > largestSecretBytes)
      throw refuse(
        subject,
        `${path} holds ${seen.size} bytes, too much for a secret`,
        'Name a file that holds only the secret.',
      );
    // Windows has no such bits; there the mode says nothing about who may read.
    if (process.platform !== 'win32' && (seen.mode & 0o007) !== 0)
      warn(`everyone on this computer may open the secret file ${path}; run: chmod o-rwx ${path}`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    const what =
      code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read' : `cannot be read (${code})`;
    throw refuse(
      subject,
      `the secret file ${path} ${what}`,
      `Put the secret there, on ${hostname()}, readable for the worker’s user only, or let the inventory name another place.`,
      cause,
    );
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw refuse(subject, `the secret file ${path} is empty`, 'Write the secret into it.');
  return secret;
}
