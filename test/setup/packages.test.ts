/**
 * Packages are put in place once, however many commands want them at once, and what is there stays until they are.
 * Rule: a project of its own with one package from a file, so that the real npm is asked and no network is.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const setup = join(__dirname, '..', '..', 'setup');
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const json = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value));

/** npm runs the project's own `preinstall` at every install, which notes it down and takes its time. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-packages-'));
  cpSync(setup, at('setup'), { recursive: true });
  mkdirSync(at('made', 'package'), { recursive: true });
  json(at('made', 'package', 'package.json'), { name: 'a', version: '1.0.0' });
  execFileSync('tar', ['czf', at('a.tgz'), '-C', at('made'), 'package']);
  const from = `file:${at('a.tgz')}`;
  const project = { name: 'p', version: '1.0.0', dependencies: { a: from } };
  const preinstall = `echo begin >> ${at('log')}; sleep 1; echo end >> ${at('log')}`;
  json(at('package.json'), { ...project, scripts: { preinstall } });
  const packages = { '': project, 'node_modules/a': { version: '1.0.0', resolved: from } };
  json(at('package-lock.json'), { name: 'p', version: '1.0.0', lockfileVersion: 3, packages });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** One set-up of the packages, in a process of its own, which does `first` before; answers what it said. */
async function ensure(first = ''): Promise<string> {
  const text = `${first}
    const { ensurePackages } = await import('./setup/packages.mjs');
    const { Progress } = await import('./setup/progress.mjs');
    await ensurePackages(new Progress()).catch((error) => console.log(error.message));`;
  const { npm_config_cache: _cache, ...env } = process.env;
  const ended = promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], { cwd: folder, env });
  const { stdout } = await ended;
  return stdout;
}

test('two set-ups of one folder install its packages once, one after the other', async () => {
  expect(await Promise.all([ensure(), ensure()])).toEqual(['', '']);
  expect(readFileSync(at('log'), 'utf8')).toBe('begin\nend\n');
  expect(existsSync(at('node_modules', 'a', 'package.json'))).toBe(true);
  expect(['.homeward-setup', '.homeward-setup.lock'].filter((name) => existsSync(at(name)))).toEqual([]);
}, 60_000);

test('a set-up that was killed holds up nobody', async () => {
  const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  symlinkSync(`${hostname()}:${gone}`, at('.homeward-setup.lock'));
  expect(await ensure()).toBe('');
  expect(existsSync(at('node_modules', 'a', 'package.json'))).toBe(true);
}, 60_000);

test('an install that fails leaves the packages that were there, and blames the network for nothing else', async () => {
  expect(await ensure()).toBe('');
  appendFileSync(at('package-lock.json'), '\n');
  json(at('node_modules', '.package-lock.json'), {});
  rmSync(at('a.tgz'));
  const said = await ensure();
  expect(said).toMatch(/could not be installed[\s\S]*ENOENT[\s\S]*Mend that, then run `npm ci`/);
  expect(existsSync(at('node_modules', 'a', 'package.json'))).toBe(true);
}, 60_000);

/** From here on Node cannot put anything in the place of the packages. */
const nothingGoesThere = `import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const rename = fs.renameSync;
  fs.renameSync = (from, to) => {
    if (to.endsWith('/node_modules')) throw new Error('EBUSY: resource busy or locked');
    rename(from, to);
  };
  syncBuiltinESMExports();`;

test('packages that were set aside by a set-up that was killed are back before another install is tried', async () => {
  expect(await ensure()).toBe('');
  mkdirSync(at('.homeward-setup'));
  renameSync(at('node_modules'), at('.homeward-setup', 'replaced'));
  appendFileSync(at('package-lock.json'), '\n');
  json(at('.homeward-setup', 'replaced', '.package-lock.json'), {});
  rmSync(at('a.tgz'));
  expect(await ensure()).toMatch(/could not be installed/);
  expect(existsSync(at('node_modules', 'a', 'package.json'))).toBe(true);
  expect(existsSync(at('.homeward-setup'))).toBe(false);
}, 60_000);

test('packages that cannot be put back are kept and named, and the next set-up puts them back', async () => {
  expect(await ensure()).toBe('');
  appendFileSync(at('package-lock.json'), '\n');
  json(at('node_modules', '.package-lock.json'), {});
  expect(await ensure(nothingGoesThere)).toMatch(/could not be put back: EBUSY[\s\S]*\.homeward-setup\/replaced/);
  expect(existsSync(at('.homeward-setup', 'replaced', 'a', 'package.json'))).toBe(true);
  rmSync(at('a.tgz'));
  expect(await ensure()).toMatch(/could not be installed/);
  expect(existsSync(at('node_modules', 'a', 'package.json'))).toBe(true);
}, 60_000);
