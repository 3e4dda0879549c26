/**
 * A program as a few files instead of two thousand: types and comments gone, and what is not used left out. Of the 256 MiB a
 * mover may have, 30 held the text of all it runs, and what strips and compiles it.
 * Rule: the name is a digest of everything that may go in, so that a kept bundle is never an older program. Names stay as
 * they are written, so that an error says what the sources say. A bundle has the project's layout in small, so that what
 * lies beside a file (`../package.json`) is found the same way.
 * Never the only way to run: where none can be made or kept, the program runs from its sources.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { digestOf, keepNewest, refuseMixed } from './kept.mjs';
import { projectFolder } from './places.mjs';

/** Beside the packages: what cannot be bundled is found from here. */
const folder = join(projectFolder, 'node_modules', '.homeward');
/** The processor's own code. */
const apart = ['@napi-rs/blake-hash', 'fs-native-extensions'];
/** They make bundles of stories and read their stacks; a mover has none, and the texts of their modules would be loaded for nothing. */
const ofStories = /^(webpack|@swc\/core|memfs|unionfs|source-map)$/;
/** Of what a bundle may be made, besides packages. */
const sources = ['activities', 'bench', 'client', 'config', 'disk', 'model', 'setup', 'sites', 'workers', 'workflows'];
/** How these are meant. */
const meaning = ['tsconfig.json'];
const kept = 8;

const isFile = (path) =>
  stat(path).then(
    (seen) => seen.isFile(),
    () => false,
  );

/**
 * @param {readonly string[]} entries paths in the project: the program, and files that it loads by their paths.
 * @param {(program: string) => Promise<void>} tryOut awaited when the program was made just now; when it rejects, none was made.
 * @returns {Promise<string>} the program's file, made first when it is not there. Rejects when it cannot be made.
 */
export async function bundled(entries, tryOut) {
  const [entry] = entries;
  const name = basename(entry, '.ts');
  const digest = await digestOf(sources, meaning);
  const path = join(folder, `${name}-${digest}`);
  const program = join(path, dirname(entry), `${name}.mjs`);
  if (await isFile(program)) return program;
  const half = join(folder, `half-${randomUUID()}`);
  try {
    await write(entries, half);
    await refuseMixed(digest, sources, meaning);
    await rename(half, path);
    await keepNewest(folder, kept);
  } catch (error) {
    await rm(half, { recursive: true, force: true }).catch(() => undefined);
    // Another start may have made it meanwhile.
    if (!(await isFile(program))) throw error;
  }
  try {
    await tryOut(program);
  } catch (error) {
    await rename(path, half);
    await rm(half, { recursive: true, force: true });
    throw error;
  }
  return program;
}

async function write(entries, target) {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    ...{ absWorkingDir: projectFolder, entryPoints: [...entries], outdir: target, outbase: projectFolder },
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node24', external: apart },
    ...{ minifyWhitespace: true, legalComments: 'none', write: false, metafile: true, logLevel: 'silent' },
    // A form is never sent; the look whether a body is one would load Node's own fetch, 3 MiB.
    define: { FormData: 'undefined' },
    // As a program for browsers it is in parts, of which one is used; the other has the code of all its digests in one text.
    alias: { 'hash-wasm': 'hash-wasm/dist/index.esm.js' },
    plugins: [keptPaths, requiredOwn, leftOut],
    // As deep as all our folders are.
    chunkNames: `${dirname(entries[0])}/[name]-[hash]`,
    outExtension: { '.js': '.mjs' },
    // CommonJS packages ask for packages that are not bundled, and where they are.
    banner: {
      js: "import{createRequire as ownRequire}from'node:module';const require=ownRequire(import.meta.url),{filename:__filename,dirname:__dirname}=import.meta;",
    },
  });
  const strange = Object.keys(metafile.inputs).find(
    (path) => !/^(required|left-out):|(^|\/)node_modules\//.test(path) && !sources.includes(path.split('/')[0]),
  );
  if (strange) throw new Error(`${strange} goes into a bundle whose name does not tell when it changes`);
  for (const { path, text } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, ascii(text), { flush: true });
  }
  // As the others: it must be whole after a loss of power, too.
  await writeFile(join(target, 'package.json'), await readFile(join(projectFolder, 'package.json')), { flush: true });
}

/** What a package finds by its place beside itself, it finds where it lies among the packages; when it runs, since a project may be moved. */
const keptPaths = {
  name: 'kept-paths',
  setup(build) {
    const replace = (filter, from, to) =>
      build.onLoad({ filter }, async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replaceAll(from, to),
        loader: 'js',
      }));
    const bundler = /@temporalio.worker.lib.workflow.bundler\.js$/;
    replace(bundler, "require.resolve('../", "require.resolve('@temporalio/worker/lib/");
    // Bundled, although its native part is not: by itself it would load packages once more that are in the bundle.
    const bridge = /@temporalio.core-bridge.common\.js$/;
    replace(bridge, '__dirname', "path.dirname(require.resolve('@temporalio/core-bridge/common.js'))");
  },
};

/** What no mover comes to use. */
const leftOut = {
  name: 'left-out',
  setup(build) {
    build.onResolve({ filter: ofStories }, ({ path }) => ({ path, namespace: 'left-out' }));
    build.onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
    // A quarter of all definitions: how accounts of Temporal Cloud are managed.
    build.onLoad({ filter: /@temporalio.proto.protos.json-module\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/^( +)"cloud": \{[\s\S]*?^\1\},?\n/m, ''),
      loader: 'js',
    }));
    // Problems are told in one language.
    build.onLoad({ filter: /zod.v4.locales.index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
      loader: 'js',
    }));
  },
};

/**
 * Node's own modules offer what few programs use (WebSocket, WebCrypto, the roots it trusts) and load it when it is looked at,
 * 4 MiB: an `import` looks at all that a module offers, a `require` does not.
 */
const requiredOwn = {
  name: 'required-own',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      isBuiltin(path) && kind !== 'require-call' ? { path, namespace: 'required' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
      loader: 'js',
    }));
  },
};

/** One letter outside of Latin-1 would double what the whole text takes in memory; only patterns still have such. */
const ascii = (text) =>
  text.replace(/[^\0-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
