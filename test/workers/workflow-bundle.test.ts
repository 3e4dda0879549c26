/** The kept bundle of the stories: made once, read afterwards, and done without where nothing can be kept. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const asked = pathToFileURL(join(__dirname, '../../workers/workflow-bundle.ts')).href;
const question = `
  import { workflowBundle } from ${JSON.stringify(asked)};
  const warnings = [];
  const found = await workflowBundle((text) => warnings.push(text));
  console.log(JSON.stringify({ length: found.code.length, warnings }));
`;

interface Answer {
  readonly length: number;
  readonly warnings: readonly string[];
}

/** A process of its own, as a worker is one. */
async function ask(cache: string): Promise<Answer> {
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', question], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-bundle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bundles = (): string => join(folder, 'homeward', 'bundles');

test('a bundle of the stories is kept, and the next worker starts with it; one that a crash of the computer left empty is made anew', async () => {
  const first = await ask(folder);
  expect(first.warnings).toEqual([]);
  expect(first.length).toBeGreaterThan(100_000);
  const [name = '', ...more] = await readdir(bundles());
  expect(more).toEqual([]);
  const path = join(bundles(), name);
  const made = await stat(path);
  expect(await ask(folder)).toEqual(first);
  expect(await readdir(bundles())).toEqual([name]);
  expect((await stat(path)).mtimeMs).toBe(made.mtimeMs);
  await writeFile(path, '');
  expect(await ask(folder)).toEqual(first);
  expect((await stat(path)).size).toBeGreaterThan(100_000);
}, 60_000);

test('a worker starts also where no bundle can be kept, and says so', async () => {
  await writeFile(join(folder, 'homeward'), 'a file where a folder should be');
  const { length, warnings } = await ask(folder);
  expect(length).toBeGreaterThan(100_000);
  expect(warnings.join()).toMatch(/could not be kept/);
}, 30_000);
