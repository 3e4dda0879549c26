/**
 * The bundle a mover runs from: it is the program its sources are, of today's sources, and never the only way to run.
 * Rule: what it runs is shown by every story of the lab, whose movers run from it.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { changed } from '../config/inventory-text.ts';

const project = join(__dirname, '..', '..');
const run = promisify(execFile);

interface Asked {
  readonly file: string;
  readonly flags: readonly string[];
  readonly warned: readonly string[];
}

/** A project of its own with all that goes into a mover; its packages are the real ones, beside room for its own bundles. */
function copyOfProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'homeward-bundles-'));
  for (const part of readFileSync(join(project, 'setup/bundles.mjs'), 'utf8')
    .match(/const sources = \[(.*)\]/)?.[1]
    ?.match(/\w+/g) ?? [])
    cpSync(join(project, part), join(folder, part), { recursive: true });
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json'])
    cpSync(join(project, file), join(folder, file));
  const packages = join(folder, 'node_modules');
  cpSync(join(project, 'node_modules/.package-lock.json'), join(packages, '.package-lock.json'));
  for (const name of readdirSync(join(project, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(project, 'node_modules', name), join(packages, name));
  return folder;
}

/** How the project in `folder` would start `entry`; `meanwhile` is run beside the answer. */
async function ask(folder: string, entry: string, meanwhile = ''): Promise<Asked> {
  const script = `${meanwhile}
    const warned = [];
    const { processOptions } = await import(${JSON.stringify(join(folder, 'setup/process-options.mjs'))});
    const options = await processOptions(${JSON.stringify(entry)}, process.execPath, (text) => warned.push(text));
    console.log(JSON.stringify({ ...options, warned }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as Asked;
}

const helpOf = async ({ file, flags }: Asked): Promise<string> =>
  (await run(process.execPath, [...flags, file, '--help'])).stdout;

test('a mover runs from one bundle, made once, that is the program of its sources and says where it failed by the names they use', async () => {
  const mover = await ask(project, 'workers/mover.ts');
  expect(mover.warned).toEqual([]);
  expect(mover.file).toContain(`${sep}.homeward${sep}mover-`);
  expect(await ask(project, 'workers/mover.ts')).toEqual(mover);
  const sources = { ...mover, file: join(project, 'workers/mover.ts') };
  expect(await helpOf(mover)).toBe(await helpOf(sources));
  const failure = (asked: Asked) =>
    run(process.execPath, [...asked.flags, asked.file, '--config', '/nowhere.yaml']).catch(({ code, stderr }) => ({
      code,
      stderr,
    }));
  expect(await failure(mover)).toEqual(await failure(sources));
  const text = readFileSync(mover.file, 'utf8');
  for (const name of ['copyRound', 'isProvenInRound', 'sealDisk']) expect(text).toContain(name);
  // One letter outside of Latin-1 doubles what it takes in memory.
  expect(/[^\0-\x7f]/.test(text)).toBe(false);
}, 60_000);

test('a mover loads no package beside its bundle but the processor’s own code, and of Node’s what it uses', async () => {
  const { file, flags } = await ask(project, 'workers/mover.ts');
  const told = `data:text/javascript,import module from 'node:module';
    process.on('exit', () => console.error(JSON.stringify([...Object.keys(module._cache), ...process.moduleLoadList])));`;
  const { stderr } = await run(process.execPath, [...flags, '--import', told, file, '--help']);
  const loaded = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as string[];
  const packages = loaded.filter((name) => name.includes(`${sep}node_modules${sep}`));
  expect(packages).toContainEqual(expect.stringMatching(/core-bridge.*\.node$/));
  expect(packages.filter((name) => !name.endsWith('.node'))).toEqual([]);
  expect(loaded.filter((name) => /undici|webcrypto/.test(name))).toEqual([]);
  const text = readFileSync(file, 'utf8');
  // It runs where the project was moved to, too.
  expect(text).not.toContain(project);
  // Where a package changed so that what was left out is in again, it is to be seen.
  for (const unused of ['cloudservice', 'Ongeldige', 'webpack/lib']) expect(text).not.toContain(unused);
});

test('everything else runs from its sources', async () => {
  expect((await ask(project, 'workers/control.ts')).file).toBe(join(project, 'workers/control.ts'));
});

test('a change of the sources is another bundle, and where none can be made the mover runs from its sources, which is told', async () => {
  const folder = copyOfProject();
  try {
    const before = await ask(folder, 'workers/mover.ts');
    expect(before).toMatchObject({ warned: [], file: expect.stringContaining(folder) });
    // How TypeScript is meant is a part of it.
    const meaning = readFileSync(join(folder, 'tsconfig.json'), 'utf8');
    writeFileSync(join(folder, 'tsconfig.json'), meaning.replace('es2024', 'es2023'));
    expect((await ask(folder, 'workers/mover.ts')).file).not.toBe(before.file);
    writeFileSync(join(folder, 'tsconfig.json'), meaning);
    const changed = join(folder, 'workers/mover.ts');
    const source = readFileSync(changed, 'utf8');
    writeFileSync(changed, source.replace('alone: true', 'alone: true as const'));
    const after = await ask(folder, 'workers/mover.ts');
    expect(after.warned).toEqual([]);
    expect(after.file).not.toBe(before.file);
    writeFileSync(changed, `${source}\nthrow new Error('it fails while it is loaded')`);
    const failing = await ask(folder, 'workers/mover.ts');
    expect(failing).toMatchObject({ file: changed, warned: [expect.stringContaining('does not run')] });
    expect(await ask(folder, 'workers/mover.ts')).toEqual(failing);
    writeFileSync(changed, `${source}\nthis is no program`);
    const broken = await ask(folder, 'workers/mover.ts');
    expect(broken).toMatchObject({ file: changed, warned: [expect.stringContaining('runs from its sources')] });
    // What was begun of it is gone.
    expect(readdirSync(join(folder, 'node_modules/.homeward')).filter((name) => name.startsWith('half'))).toEqual([]);
    rmSync(join(folder, 'node_modules/.homeward'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/.homeward'), 'in the way');
    writeFileSync(changed, source);
    expect(await ask(folder, 'workers/mover.ts')).toMatchObject({
      file: changed,
      warned: [expect.stringMatching(/EEXIST|ENOTDIR/)],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

test('a bundle of sources that an update changes while it is made is not kept: no program of two versions is ever called the older one', async () => {
  const folder = copyOfProject();
  const bundles = join(folder, 'node_modules/.homeward');
  const changed = join(folder, 'workers/mover.ts');
  try {
    const update = `const { appendFileSync, existsSync, readdirSync } = await import('node:fs');
      const look = () => {
        const begun = existsSync(${JSON.stringify(bundles)}) && readdirSync(${JSON.stringify(bundles)}).length > 0;
        if (begun) appendFileSync(${JSON.stringify(changed)}, '// changed');
        else setImmediate(look);
      };
      look();`;
    const asked = await ask(folder, 'workers/mover.ts', update);
    expect(asked).toMatchObject({ file: changed, warned: [expect.stringContaining('were changed while it was made')] });
    expect(readdirSync(bundles)).toEqual([]);
    expect(await ask(folder, 'workers/mover.ts')).toMatchObject({ warned: [], file: expect.stringContaining(bundles) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

test('L5 a mover has loaded what it reads through a proxy over TLS by the time it starts: bundle and packages may be replaced beneath it', async () => {
  const folder = copyOfProject();
  try {
    const part = (name: string): string => JSON.stringify(join(folder, name));
    const proxy = 'https://127.0.0.1:1';
    const inventory = changed('    kind: azure\n', `    kind: azure\n    proxy: ${proxy}\n`);
    writeFileSync(join(folder, 'homeward.yaml'), inventory);
    const script = `const { loadInventory } = await import(${part('config/load.ts')});
      const { openMoverParts } = await import(${part('workers/mover-parts.ts')});
      const { blobLimits, createBlobTransport } = await import(${part('sites/azure/blob-transport.ts')});
      await openMoverParts(await loadInventory(${part('homeward.yaml')}), 'm1');
      (await import('node:fs')).rmSync(${part('sites/azure/undici-transport.ts')});
      const transport = createBlobTransport({ proxy: ${JSON.stringify(proxy)} }, undefined, blobLimits);
      const url = new URL('https://md-0.blob.storage.azure.net/c/abcd');
      const failure = await transport.get(url, {}, AbortSignal.timeout(20_000), async () => {}).catch((error) => error);
      console.log(failure.code);
      process.exit();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('ECONNREFUSED\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
