/**
 * Written by hand: ways to misuse the command line and the inventory, each a clear error that says what to do.
 * Rule: the real program runs as a process of its own with `--json`: one object on stderr, nothing on stdout, an exit code
 * that is not 0; and of the operator's files none is changed, added or lost. No Temporal is there.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changed, rightText } from '../config/inventory-text.ts';

const program = join(__dirname, '..', '..', 'client', 'homeward.ts');

/** Port 1 is never Temporal: connections are refused at once. */
const away = (text: string): string => text.replace('localhost:7233', '127.0.0.1:1');
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(rightText, 'utf16le')]);

const files: Readonly<Record<string, string | Buffer>> = {
  'homeward.yaml': away(rightText),
  'empty.yaml': '# to be written\n',
  'utf16.yaml': utf16,
  'zeros.yaml': Buffer.alloc(64),
  'tab.yaml': rightText.replace(/\n {2}azure-west/, '\n\tazure-west'),
  'unclosed.yaml': `${rightText}note: "not closed\n`,
  'twice.yaml': rightText.replace(/(\n {2}erp-db:)/, '$1 {}$1'),
  'secret.yaml': changed('{ env: VC_PASSWORD }', 'hunter2'),
  'unicode.yaml': rightText.replace('erp-db:', 'erp-dü:'),
  'text.yaml': 'just some words about machines\n',
  'never.yaml': rightText.replace(/machines:/, 'policies2: {}\nmachines:'),
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-misuse-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await symlink('circle.yaml', join(folder, 'circle.yaml'));
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Misuse {
  readonly what: string;
  readonly type: string;
  readonly code: number;
  readonly says: RegExp;
  readonly todo: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

// Pasted, it reads the same file again.
const mendFile = /homeward --config \S+ config check/;
const inFile = (what: string, file: string, says: RegExp): Misuse => ({
  ...{ what, type: `--config ${file} machines`, code: 2, says, todo: mendFile },
});

const misuses: readonly Misuse[] = [
  inFile('an inventory that nobody wrote yet', 'empty.yaml', /empty\.yaml:1:1: the file is empty; it needs at least/),
  inFile('an inventory that an editor saved in UTF-16', 'utf16.yaml', /this is no text in UTF-8; save it so/),
  inFile('a file of zeros, as a crash of the computer leaves it', 'zeros.yaml', /this is no text in UTF-8/),
  inFile('a folder in place of the file', '.', /this is a folder; name the file in it/),
  inFile('a path that leads through a file', 'homeward.yaml/x', /a part of this path is a file and no folder/),
  inFile('links in a circle', 'circle.yaml', /links lead in a circle here/),
  inFile('a file that is not there', 'none.yaml', /there is no such file; name it with --config/),
  inFile('a tab', 'tab.yaml', /a tab is used for indentation; use spaces/),
  inFile('a quote that is not closed', 'unclosed.yaml', /a closing quote/),
  inFile('a machine that stands there twice', 'twice.yaml', /machines\.erp-db: this key stands here twice; keep one/),
  inFile('a credential as a value', 'secret.yaml', /a secret may not stand in the inventory/),
  inFile('a name with an umlaut', 'unicode.yaml', /use lower-case letters, digits and dashes/),
  inFile('words in place of keys', 'text.yaml', /the file must be keys and values, beginning with "sites:"/),
  inFile('a section of its own making', 'never.yaml', /policies2: unknown key; did you mean "policies"\?/),
  {
    ...{ what: 'a machine named like a path', type: 'failback start ../../etc/passwd', code: 5 },
    ...{ says: /no machine is called "\.\.\/\.\.\/etc\/passwd"/, todo: /Known: erp-db\./ },
  },
  {
    ...{ what: 'a machine whose variable is empty', type: 'failback start ""', code: 5 },
    ...{ says: /no machine is called ""/, todo: /Known: erp-db\./ },
  },
  {
    ...{ what: 'nobody who says it', type: 'failback hold erp-db --by ""', code: 2 },
    ...{ says: /hold cannot be sent: --by: say who you are/, todo: /nothing was sent to erp-db/ },
  },
  {
    ...{ what: 'a note as long as a letter', type: `failback cancel erp-db --note ${'x'.repeat(1_200)}`, code: 2 },
    ...{
      says: /cancel cannot be sent: --note: must have 1000 characters or fewer/,
      todo: /nothing was sent to erp-db/,
    },
  },
  {
    ...{ what: 'a number in another notation', type: 'failback start erp-db --round-every 1e3', code: 2 },
    ...{ says: /Give seconds from 0\.1 to 86400/, todo: /Read: homeward failback start --help/ },
  },
  {
    ...{ what: 'an earlier run by what is no id of one', type: 'failback start erp-db --discard erp-db', code: 2 },
    ...{
      says: /Give the whole id of a run, like [\da-f-]{36}, as the preflight names it/,
      todo: /failback start --help/,
    },
  },
  {
    ...{ what: 'a part of an earlier run\u2019s id', type: 'failback start erp-db --discard 01a21bd2-2614', code: 2 },
    ...{ says: /Give the whole id of a run/, todo: /failback start --help/ },
  },
  {
    ...{ what: 'nobody who starts it', type: 'failback start erp-db --by ""', code: 2 },
    ...{ says: /no run is started: --by: say who you are/, todo: /nothing was begun for erp-db/ },
  },
  {
    ...{ what: 'a call for an operator without an answer', type: 'failback resolve erp-db', code: 2 },
    ...{ says: /say how to resolve it/, todo: /Add --retry .* --undo .* or --skip/ },
  },
  {
    ...{
      what: 'a command without its machine, after an option',
      type: '--config homeward.yaml failback evidence',
      code: 2,
    },
    ...{ says: /missing required argument 'machine'/, todo: /^Read: homeward failback evidence --help$/ },
  },
  {
    ...{
      what: 'a command of failback without failback, after an option',
      type: '--config homeward.yaml commit erp-db',
      code: 2,
    },
    ...{
      says: /unknown command 'commit'/,
      todo: /^Type: homeward failback --config homeward\.yaml commit erp-db|^Type: homeward failback commit/,
    },
  },
  {
    ...{ what: 'a command of mover without mover', type: 'reassign erp-db --to m1', code: 2 },
    ...{ says: /unknown command 'reassign'/, todo: /^Type: homeward mover reassign erp-db --to m1/ },
  },
  {
    ...{ what: 'a machine before the command of its group', type: 'mover erp-db reassign --to m1', code: 2 },
    ...{ says: /unknown command 'erp-db'/, todo: /^Type: homeward mover reassign erp-db --to m1/ },
  },
  {
    ...{ what: 'a mover whose variable is empty', type: 'mover reassign erp-db --to "" --yes', code: 5 },
    ...{ says: /no mover is called ""/, todo: /^Known: m1\.$/ },
  },
  {
    ...{ what: 'no command', type: '', code: 2, says: /no command was given/, todo: /Read: homeward --help/ },
  },
  {
    ...{ what: 'a report into a folder that is not there', type: 'preflight erp-db --html none/report.html', code: 2 },
    ...{ says: /there is no folder/, todo: /Name a file in a folder that exists/ },
  },
  {
    ...{ what: 'an address of Temporal with a scheme', type: 'failback status erp-db', code: 2 },
    ...{ says: /"https:\/\/temporal:7233" \(TEMPORAL_ADDRESS\) is no host:port/, todo: /Write host:port/ },
    env: { TEMPORAL_ADDRESS: 'https://temporal:7233' },
  },
  {
    ...{ what: 'a Temporal that is not there', type: 'failback resolve erp-db --retry', code: 4 },
    ...{ says: /Temporal does not answer at 127\.0\.0\.1:1 \(homeward\.yaml\)/, todo: /TEMPORAL_ADDRESS/ },
  },
];

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function homeward({ type, env: more }: Misuse): Promise<Ended> {
  const mine = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL|HOMEWARD|FORCE_COLOR|NODE_OPTIONS)/.test(name),
  );
  const env = { ...Object.fromEntries(mine), TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'), ...more };
  const words = type === '' ? [] : type.split(' ').map((word) => (word === '""' ? '' : word));
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, ...words, '--json'],
      { cwd: folder, env },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** Names and contents of all the operator has in the folder. */
async function belongings(): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => `${name} ${await readFile(join(folder, name), 'base64').catch((error) => error.code)}`),
  );
}

test('there are at least twenty of them, each of its own kind', () => {
  expect(new Set(misuses.map(({ what }) => what)).size).toBe(misuses.length);
  expect(misuses.length).toBeGreaterThanOrEqual(20);
});

test('S13 each misuse of the command line and of the inventory is told in one object with what to do, and loses nothing', async () => {
  const before = await belongings();
  // A few at once: each is a process of its own.
  const ended: Ended[] = [];
  for (let from = 0; from < misuses.length; from += 4)
    ended.push(...(await Promise.all(misuses.slice(from, from + 4).map(homeward))));
  for (const [at, { what, code, says, todo }] of misuses.entries()) {
    const { out, err, code: was } = ended[at] ?? { out: '', err: '', code: -1 };
    expect({ what, code: was, out, lines: err.trim().split('\n').length }).toEqual({ what, code, out: '', lines: 1 });
    const { error } = JSON.parse(err) as { error: { code: number; what: string; todo: string } };
    expect({ misuse: what, ...error }).toMatchObject({
      ...{ misuse: what, code, what: expect.stringMatching(says), todo: expect.stringMatching(todo) },
    });
    expect(err).not.toMatch(/hunter2|\\n\s+at /);
  }
  expect(await belongings()).toEqual(before);
}, 60_000);
