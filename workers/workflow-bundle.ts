/**
 * The stories as one file, as Temporal's worker runs them: bundled once for each state of the sources and kept.
 * Rule: the name is a digest of everything that goes in, so that a kept bundle is never an older story. A worker that
 * comes back after a crash is there a second and a half sooner. Where nothing can be kept, it is bundled anew. What is
 * handed over is the code and never a path: another worker may forget the file at any moment.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Runtime } from '@temporalio/worker';
import { digestOf, keepNewest, refuseMixed } from '../setup/kept.mjs';
import { cacheFolder } from '../setup/places.mjs';
import { payloadConverterPath } from './payload-converter-path.ts';

const project = join(import.meta.dirname, '..');
/** What a bundle is made of: our sources, everything of others by the lock file, and what the bundler is told (here). */
const folders = ['workflows', 'model'];
const files = ['tsconfig.json', 'workers/payload-converter-path.ts', relative(project, import.meta.filename)];
/** Older ones go: each is 3 MB. */
const keptBundles = 8;

/** A file that is not there, or that a crash of the computer left empty, is none. */
async function readKept(path: string): Promise<string | undefined> {
  const code = await readFile(path, 'utf8').catch(() => '');
  return code === '' ? undefined : code;
}

/** For `WorkerOptions.workflowBundle`. `warn` hears why a bundle could not be kept; the worker works all the same. */
export async function workflowBundle(warn: (text: string) => void): Promise<{ readonly code: string }> {
  const folder = join(cacheFolder(), 'bundles');
  const digest = await digestOf(folders, files);
  const path = join(folder, `${digest}.js`);
  const kept = await readKept(path);
  if (kept !== undefined) return { code: kept };
  const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: Runtime.instance().logger });
  try {
    await refuseMixed(digest, folders, files);
    await mkdir(folder, { recursive: true });
    const half = `${path}.${randomUUID()}`;
    await writeFile(half, code);
    // Another worker may read it at any moment: it is there whole or not at all.
    await rename(half, path);
    await keepNewest(folder, keptBundles);
  } catch (error) {
    warn(`the bundle of the stories could not be kept: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { code };
}
