/**
 * How a program of Homeward is started: its file, options of Node and variables of the environment.
 * Rule: one list for the set-up, the lab and the bench, so that what is tried and measured is what is run.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundles.mjs';
import { cacheFolder, projectFolder } from './places.mjs';

const longestMs = 30_000;
const listed = JSON.parse(readFileSync(join(projectFolder, 'setup', 'process-options.json'), 'utf8'));

/**
 * @param {string} entry path within the project, `workers/mover.ts`
 * @param {string} node the Node it will run on
 * @param {(text: string) => void} warn hears why a program runs from its sources that should not
 */
export async function processOptions(entry, node, warn) {
  const { always } = listed;
  const own = listed[entry] ?? {};
  const like = listed[own.like] ?? {};
  const flags = [...always.node, ...(like.node ?? []), ...(own.node ?? [])];
  // Types are stripped and sources compiled once, not at each start: half of a command's time, and 20 MiB of a worker.
  const kept = process.env.NODE_COMPILE_CACHE ?? join(cacheFolder(), 'compiled');
  const env = { NODE_COMPILE_CACHE: kept, ...like.env, ...own.env };
  const source = join(projectFolder, entry);
  if (own.with === undefined) return { file: source, flags, env };
  const tryOut = (program) => runWell(node, [...flags, program, '--help'], { ...process.env, ...env });
  try {
    return { file: await bundled([entry, ...own.with], tryOut), flags, env };
  } catch (error) {
    warn(`${entry} runs from its sources, which takes some 30 MiB of memory more, because ${error.message}`);
    return { file: source, flags, env };
  }
}

/** A program that cannot run is found before it is relied on; and Node keeps what it compiled for the first start. */
async function runWell(program, args, env) {
  const child = spawn(program, args, { env, stdio: 'ignore', timeout: longestMs });
  const end = await new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve(signal ?? code));
  });
  if (end !== 0) throw new Error(`the bundle of it does not run (it ended with ${end})`);
}
