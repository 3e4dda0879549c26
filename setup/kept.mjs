/**
 * What is made once of the sources and kept: the name it is kept by, and how many of its kind.
 * Rule: the name is a digest of everything that goes in, so that what is kept is never of older sources.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from './places.mjs';

/** A digest of all packages, and of our sources in `folders`; both as paths in the project. */
export async function digestOf(folders, files = []) {
  const hash = createHash('sha256');
  const names = ['package.json', 'package-lock.json', ...files];
  for (const each of folders)
    for (const name of await readdir(join(projectFolder, each), { recursive: true }))
      if (/\.(ts|mjs)$/.test(name)) names.push(join(each, name));
  for (const name of names.sort()) hash.update(`\n${name}\n`).update(await readFile(join(projectFolder, name)));
  return hash.digest('hex').slice(0, 32);
}

/** Removes all but the newest `count` of a folder. */
export async function keepNewest(of, count) {
  const paths = (await readdir(of)).map((name) => join(of, name));
  const aged = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  for (const { path } of aged.sort((a, b) => b.at - a.at).slice(count))
    await rm(path, { recursive: true, force: true });
}
