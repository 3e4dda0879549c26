/**
 * Writes a report where somebody asked for it.
 * Rule: the place is looked at before anything is asked of anybody, and a report that cannot be finished leaves what was there.
 */
import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Problem } from './problem.ts';

const nameAnother = 'Name a file in a folder that exists and that you may write to.';

/** The whole path of the file. Throws Problem `usage` when nothing can be written there. */
export async function placeForReport(option: string, file: string): Promise<string> {
  const refuse = (what: string): Problem => new Problem('usage', `${option}: ${what}`, nameAnother);
  if (file === '') throw refuse('names no file');
  const path = resolve(file);
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isFile()) throw refuse(`${path} is not a file`);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) throw refuse(`there is no folder ${dirname(path)}`);
  return path;
}

export async function writeReport(option: string, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    // What could not be written is the news, not what could not be cleared away after it.
    await rm(draft, { force: true }).catch(() => undefined);
    throw new Problem('usage', `${option}: ${path} cannot be written: ${(error as Error).message}`, nameAnother, error);
  }
}
