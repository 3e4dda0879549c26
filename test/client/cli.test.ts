/**
 * The command line misused: every mistake ends with its exit code, one sentence what and one what to do, never a stack trace.
 * Rule: the real program runs as a process of its own; no Temporal is there, which is one of the mistakes.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changed, rightText } from '../config/inventory-text.ts';

const program = join(__dirname, '..', '..', 'client', 'homeward.ts');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-cli-'));
  // Port 1 is never Temporal: connections are refused at once.
  await writeFile(join(folder, 'homeward.yaml'), rightText.replace('localhost:7233', '127.0.0.1:1'));
  await writeFile(
    join(folder, 'bad.yaml'),
    changed('{ env: VC_PASSWORD }', 'hunter2').replace('sync: during', 'sync: after'),
  );
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}

function homeward(...args: string[]): Promise<Ended> {
  const { PATH = '', SYSTEMROOT = '', NODE_OPTIONS: _unused, ...rest } = process.env;
  const mine = Object.entries(rest).filter(([name]) => !/^(TEMPORAL|HOMEWARD|FORCE_COLOR)/.test(name));
  const env = {
    ...Object.fromEntries(mine),
    PATH,
    SYSTEMROOT,
    NO_COLOR: '1',
    TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
  };
  const begun = Date.now();
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { cwd: folder, env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err, tookMs: Date.now() - begun }),
    );
  });
}

test.each([
  ['an unknown command', ['frob'], 2, "homeward: unknown command 'frob'", 'Read: homeward --help'],
  [
    'an unknown subcommand',
    ['failback', 'stats'],
    2,
    "homeward: unknown command 'stats' (Did you mean status?)",
    'Read: homeward failback --help',
  ],
  ['an unknown option', ['machines', '--all'], 2, "homeward: unknown option '--all'", 'Read: homeward machines --help'],
  [
    'no machine',
    ['failback', 'commit'],
    2,
    "homeward: missing required argument 'machine'",
    'Read: homeward failback commit --help',
  ],
  [
    'one machine too many',
    ['failback', 'hold', 'a', 'b'],
    2,
    'homeward: too many arguments',
    'Read: homeward failback hold --help',
  ],
  [
    'a word that is no choice',
    ['failback', 'start', 'erp-db', '--sync', 'after'],
    2,
    "argument 'after' is invalid",
    'Read: homeward failback start --help',
  ],
  [
    'a number out of range',
    ['failback', 'start', 'erp-db', '--round-every', '0'],
    2,
    'Give seconds from 0.1 to 86400.',
    'Read: homeward failback start --help',
  ],
  [
    'a number that is none',
    ['preflight', 'erp-db', '--wait', '1e3'],
    2,
    'Give seconds from 1 to 3600.',
    'Read: homeward preflight --help',
  ],
  ['resolve without an answer', ['failback', 'resolve', 'erp-db'], 2, 'homeward: say how to resolve it', 'Add --retry'],
  [
    'resolve with both answers',
    ['failback', 'resolve', 'erp-db', '--retry', '--undo'],
    2,
    "option '--retry' cannot be used with option '--undo'",
    'Read: homeward failback resolve --help',
  ],
  [
    'an unknown machine',
    ['failback', 'start', 'erb-db'],
    5,
    'homeward: no machine is called "erb-db" in the inventory',
    'Did you mean "erp-db"?',
  ],
  [
    'a name every object has',
    ['preflight', 'constructor'],
    5,
    'homeward: no machine is called "constructor" in the inventory',
    'Known: erp-db.',
  ],
  [
    'a limit that is no rate',
    ['limits', 'set', '100', '--mover', 'm1'],
    2,
    'Not a rate of 64KiB/s or more; write 100MiB/s',
    'Read: homeward limits set --help',
  ],
  ['a limit on nothing', ['limits', 'set', '1Gbit/s'], 2, 'say what is limited', 'Add --mover NAME, --site NAME or'],
  [
    'a limit on two things',
    ['limits', 'set', 'none', '--mover', 'm1', '--site', 'home'],
    2,
    "option '--mover <name>' cannot be used with option '--site <name>'",
    'Read: homeward limits set --help',
  ],
  [
    'hours of a limit without a zone',
    ['limits', 'set', 'none', '--mover', 'm1', '--from', '08:00', '--to', '18:00'],
    2,
    'homeward: --zone: days and times need a time zone, like Europe/Berlin',
    'Read: homeward limits set --help',
  ],
  [
    'a limit on a misspelt mover',
    ['limits', 'clear', '--mover', 'm11'],
    5,
    'homeward: no mover is called "m11" in the inventory',
    'Did you mean "m1"?',
  ],
  [
    'a command of failback without failback',
    ['commit', 'erp-db', '--yes'],
    2,
    "homeward: unknown command 'commit'",
    'Type: homeward failback commit erp-db --yes',
  ],
  [
    'the machine before what is to be done with it',
    ['failback', 'erp-db', 'start'],
    2,
    "homeward: unknown command 'erp-db'",
    'Type: homeward failback start erp-db',
  ],
  ['a config without a name', ['--config=', 'machines'], 2, 'homeward: --config names no file', 'Name the inventory'],
  [
    'a config that is not there',
    ['--config', 'none.yaml', 'machines'],
    2,
    'none.yaml: there is no such file',
    'homeward --config none.yaml config check',
  ],
])('%s is told with what to do', async (_what, args, code, what, todo) => {
  const ended = await homeward(...args);
  expect(ended).toMatchObject({ code, out: '' });
  expect(ended.err).toContain(what);
  expect(ended.err).toContain(todo);
  expect(ended.err).not.toMatch(/^\s+at /m);
});

test('S000-18 a way to write is refused for an alternate location, where all disks are new', async () => {
  const disks = rightText.slice(rightText.indexOf('    disks:'));
  const create = '    location: alternate\n    create: { cluster: /DC0/host/C0, datastore: ds, network: VM Network }\n';
  await writeFile(join(folder, 'away.yaml'), changed(disks, create));
  const said = await homeward('--config', 'away.yaml', 'failback', 'start', 'erp-db', '--write', 'staged');
  expect(said.code).toBe(2);
  expect(said.err).toContain('--write staged says nothing here: erp-db comes home to an alternate location');
  expect(said.err).toContain('remove location and create from the inventory');
});

test('no command at all prints the help and is a usage error', async () => {
  const ended = await homeward();
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toContain('Exit codes:');
});

test('help goes to stdout, ends well and tells the exit codes', async () => {
  const ended = await homeward('--help');
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(ended.out).toMatch(/ 6 {2}a run of this machine is under way/);
});

test('Temporal away: every command that needs it ends within seconds with exit code 4 and advice', async () => {
  const commands = [
    ['failback', 'status', 'erp-db'],
    ['failback', 'start', 'erp-db'],
    ['failback', 'hold', 'erp-db', '--signal'],
    ['limits', 'show'],
  ];
  for (const ended of await Promise.all(commands.map((args) => homeward(...args)))) {
    expect(ended).toMatchObject({ code: 4, out: '' });
    expect(ended.err).toContain('Temporal does not answer at 127.0.0.1:1 (homeward.yaml)');
    expect(ended.err).toContain('TEMPORAL_ADDRESS');
    expect(ended.tookMs).toBeLessThan(15_000);
  }
});

test('machines are listed without Temporal, with unknown phases and the exit code of a Temporal that is away', async () => {
  const ended = await homeward('machines', '--json');
  expect(ended.code).toBe(4);
  expect(JSON.parse(ended.out)).toEqual([
    {
      name: 'erp-db',
      source: 'azure-west:rg-dr/erp-db',
      target: 'home:/DC0/vm/erp-db',
      mover: 'm1',
      policy: 'nightly',
      phase: 'unknown',
    },
  ]);
  expect(JSON.parse(ended.err).note).toContain('phases are unknown');
});

test('with --json an error is one JSON object on stderr', async () => {
  const ended = await homeward('--json', 'failback', 'start', 'nope');
  expect(ended).toMatchObject({ code: 5, out: '' });
  expect(JSON.parse(ended.err)).toEqual({
    error: { code: 5, kind: 'not-found', what: 'no machine is called "nope" in the inventory', todo: 'Known: erp-db.' },
  });
});

test('S13 a faulty config tells all problems, and the secret in it to nobody', async () => {
  const ended = await homeward('--config', 'bad.yaml', 'config', 'check');
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toContain('bad.yaml:16:15 sites.home.password:');
  expect(ended.err).toContain('bad.yaml:22:11 policies.nightly.sync:');
  expect(ended.err + ended.out).not.toContain('hunter2');
});

test('config check says what a right file holds', async () => {
  const ended = await homeward('config', 'check');
  expect(ended.code).toBe(0);
  expect(ended.out).toContain('is right: 2 sites, 1 mover, 1 policy, 1 machine');
});

test('S13 config check warns of each secret and certificate that is not here, with line and key, and of no value', async () => {
  await mkdir(join(folder, 'secrets'), { recursive: true });
  await writeFile(join(folder, 'secrets', 'azure'), 'hunter2', { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), 'hunter3');
  const text = rightText
    .replace('    subscriptionId', '    caFile: none.pem\n    subscriptionId')
    .replace('    datacenter', '    caFile: ca.pem\n    datacenter');
  await writeFile(join(folder, 'refs.yaml'), text);
  const warned = await homeward('--config', 'refs.yaml', 'config', 'check');
  expect(warned).toMatchObject({ code: 0, out: expect.stringContaining('is right: 2 sites') });
  const place = join(folder, 'refs.yaml');
  expect(warned.err.trimEnd().split('\n')).toEqual([
    `warning: ${place}:6:13 sites.azure-west.caFile: the certificate file ${join(folder, 'none.pem')} does not exist`,
    `warning: ${place}:17:15 sites.home.password: the environment variable VC_PASSWORD is not set`,
    `warning: ${place}:18:13 sites.home.caFile: ${join(folder, 'ca.pem')} holds no certificate in PEM form`,
  ]);
  const strict = await homeward('--config', 'refs.yaml', '--json', 'config', 'check', '--secrets');
  expect(strict).toMatchObject({ code: 2, err: '' });
  const told = await homeward('--config', 'refs.yaml', 'config', 'check', '--secrets');
  expect(told).toMatchObject({ code: 2, err: warned.err.replaceAll('warning:', 'problem:') });
  expect(told.out).toBe(
    `${place} is not enough for a worker on this computer: 3 secrets or certificates cannot be used\n`,
  );
  expect(JSON.parse(strict.out).missing).toHaveLength(3);
  expect(warned.err + warned.out + strict.out).not.toMatch(/hunter/);
  await writeFile(join(folder, 'right.yaml'), rightText.replace('{ env: VC_PASSWORD }', '{ env: PATH }'));
  const right = await homeward('--config', 'right.yaml', 'config', 'check', '--secrets');
  expect(right).toMatchObject({ code: 0, err: '' });
});

test('config schema prints JSON', async () => {
  expect(JSON.parse((await homeward('config', 'schema')).out)).toMatchObject({ title: 'homeward.yaml' });
});

/** The command with its output sent as a shell says; all that was said on stderr, and its exit code. */
function through(shell: string): Promise<string> {
  const { NODE_OPTIONS: _ours, FORCE_COLOR: _colour, ...env } = process.env;
  return new Promise((resolve) => {
    const line = shell.replace('homeward', `"${process.execPath}" "${program}"`);
    execFile('sh', ['-c', line], { cwd: folder, env: { ...env, NO_COLOR: '1' } }, (_error, _out, err) => resolve(err));
  });
}

test.each(['--help', 'machines --help', 'config schema'])(
  'whoever reads only the beginning of "%s" gets no stack trace',
  async (words) => {
    expect(await through(`(sleep 0.1; homeward ${words}; echo "code $?" >&2) | true`)).toBe('code 0\n');
  },
);

const haveFull = existsSync('/dev/full');
if (!haveFull) process.stderr.write('skipped: this system has no device that is always full\n');
(haveFull ? test.each : test.skip.each)(['--help', 'config check'])(
  'an answer ("%s") that cannot be written is told in two lines and is a failure',
  async (words) => {
    const said = await through(`homeward ${words} > /dev/full; echo "code $?" >&2`);
    expect(said).toMatch(/homeward: the answer could not be written \(ENOSPC\)\n {2}do: .*\ncode 1\n$/);
    expect(said).not.toMatch(/^\s+at /m);
  },
);
