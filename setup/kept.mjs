/**
 * What is made once of the sources and kept: the name it is kept by, and how many of its kind.
 * Rule: the name is a digest of everything that goes in, so that what is kept is never of older sources.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
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

/**
 * Awaited between making and keeping: an update of the project may have come between, and what was read of two versions is no
 * program, least of all the older one, which an operator may go back to. Throws when `digest` is no longer that of the sources.
 */
export async function refuseMixed(digest, folders, files) {
  if ((await digestOf(folders, files)) !== digest) throw new Error('the sources were changed while it was made');
}

/** What is on its way out is called so, and goes with the next removal where a kill cut off its own. */
const outworn = 'outworn-';

/** Removes all but the newest `count` of a folder: each is there whole or not at all. */
export async function keepNewest(of, count) {
  const names = await readdir(of);
  const paths = names.filter((name) => !name.startsWith(outworn)).map((name) => join(of, name));
  const aged = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  const leaving = names.filter((name) => name.startsWith(outworn)).map((name) => join(of, name));
  for (const { path } of aged.sort((a, b) => b.at - a.at).slice(count)) {
    const away = join(of, `${outworn}${randomUUID()}`);
    await rename(path, away);
    leaving.push(away);
  }
  for (const path of leaving) await rm(path, { recursive: true, force: true });
}
