/**
 * Options that npm took for itself, because no `--` stood before them, are noticed before anything is started.
 * Rule: the real run.mjs, with the environment that npm leaves; the list it looks at is held against the programs' own options.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const project = join(__dirname, '..', '..');

/** `npm run homeward …`, as npm runs it: what it took of the command line stands in the environment only. */
async function asNpm(taken: Readonly<Record<string, string>>, ...args: string[]) {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const words = ['setup/run.mjs', '--no-lab', 'client/homeward.ts', ...args];
  return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const own = { cwd: project, env: { ...env, npm_lifecycle_event: 'homeward', ...taken } };
    const child = execFile(process.execPath, words, own, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

test('S7 an option that npm took for itself ends the command with 2 before anything is done, and says where it belongs', async () => {
  expect(await asNpm({ npm_config_reread: 'true', npm_config_round_every: 'true' }, '--version')).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(/^npm took --reread, --round-every for itself, .*\nWrite: npm run homeward -- …/),
  });
  expect(await asNpm({ npm_config_workers: '' }, '--version')).toMatchObject({ code: 2 });
}, 30_000);

test('what npm is set to itself is no option of ours', async () => {
  const own = {
    npm_config_json: 'true',
    npm_config_yes: 'true',
    npm_config_loglevel: 'silent',
    npm_config_cache: '/c',
  };
  const more = { npm_config_registry: 'https://here/', npm_config_noproxy: '', npm_config_link: 'true' };
  expect(await asNpm({ ...own, ...more }, '--version')).toMatchObject({ code: 0, err: '' });
}, 30_000);

/** The names that a pattern finds in these files. */
const named = (pattern: RegExp, files: readonly string[]): string[] =>
  files.flatMap((file) =>
    [...readFileSync(join(project, file), 'utf8').matchAll(pattern)].map(([, name = '']) => name),
  );

test('S7 every option of every program that npm starts is looked for, but those that npm has as well', () => {
  const commands = readdirSync(join(project, 'client/command')).map((file) => `client/command/${file}`);
  const cli = named(/[oO]ption\(\s*'--([a-z-]+)/g, ['client/homeward.ts', ...commands]);
  const beside = ['lab/demo.ts', 'lab/open.ts', 'workers/start.ts', 'bench/options.ts'];
  const others = named(/'?\b([a-z-]+)'?: \{ type: '(?:boolean|string)'/g, beside);
  expect(cli).toEqual(expect.arrayContaining(['reread', 'watch', 'accept-loss', 'scrub-every', 'point', 'zone']));
  expect(others).toEqual(expect.arrayContaining(['staged', 'no-workers', 'id', 'config', 'quick']));
  const npmsOwn = ['json', 'yes', 'link', 'only', 'version', 'help'];
  const wanted = new Set([...cli, ...others].filter((name) => !npmsOwn.includes(name)));
  const ourOptions: string[] = JSON.parse(readFileSync(join(project, 'setup/npm-options.json'), 'utf8'));
  expect(ourOptions.toSorted()).toEqual([...wanted].sort());
});
