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
  console.log(JSON.stringify({ codePath: found.codePath, length: found.code?.length ?? 0, warnings }));
`;

interface Answer {
  readonly codePath?: string;
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

test('a bundle of the stories is kept, and the next worker starts with it', async () => {
  const first = await ask(folder);
  expect(first.warnings).toEqual([]);
  const made = await stat(first.codePath ?? '');
  expect(made.size).toBeGreaterThan(100_000);
  const second = await ask(folder);
  expect(second.codePath).toBe(first.codePath);
  expect((await stat(second.codePath ?? '')).mtimeMs).toBe(made.mtimeMs);
  expect(await readdir(join(folder, 'homeward', 'bundles'))).toHaveLength(1);
});

test('a worker starts also where no bundle can be kept, and says so', async () => {
  await writeFile(join(folder, 'homeward'), 'a file where a folder should be');
  const { codePath, length, warnings } = await ask(folder);
  expect([codePath, length > 100_000]).toEqual([undefined, true]);
  expect(warnings.join()).toMatch(/could not be kept/);
});
