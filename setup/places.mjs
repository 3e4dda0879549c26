/**
 * Where things lie: the project, and the cache that all clones on this machine share.
 * Rule: what can be made again goes to the cache; nothing else is written outside the project.
 * Never contains a path of one machine.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const projectFolder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');

/** `$XDG_CACHE_HOME/homeward`, or `~/.cache/homeward`. */
export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'homeward');
}

export const platform = `${process.platform}-${process.arch}`;
