/**
 * What people write wrong in homeward.yaml, and that each mistake is told with its line, its key and what to do.
 * Rule: every case breaks the right inventory in one place; the problems are compared as they are printed.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inventoryPath, loadInventory, resolvePath } from '../../config/load.ts';
import { changed, problemsOf, rightText } from './inventory-text.ts';

const secretAdvice = 'say where the secret is found: {file: path} or {env: NAME}';

const misuses: [string, string, string[]][] = [
  ['an empty file', '', ['h.yaml:1:1: the file is empty; it needs at least "sites:"']],
  ['a file of comments', '# nothing\n', ['h.yaml:1:1: the file is empty; it needs at least "sites:"']],
  ['a list', '- a\n', ['h.yaml:1:1: the file must be keys and values, beginning with "sites:"']],
  ['plain text', 'hello\n', ['h.yaml:1:1: the file must be keys and values, beginning with "sites:"']],
  [
    'a duplicate key',
    changed('    user: homeward', '    user: a\n    user: b'),
    ['h.yaml:16:5 sites.home.user: this key stands here twice; keep one'],
  ],
  [
    'two documents',
    `${rightText}---\na: 1\n`,
    ['h.yaml:33:1 machines.erp-db.disks.data-0: more than one document (---) in the file; keep one'],
  ],
  [
    'a misspelt key',
    changed('datacenter:', 'datacentre:'),
    [
      'h.yaml:12:3 sites.home.datacenter: is missing (expected text)',
      'h.yaml:17:5 sites.home.datacentre: unknown key; did you mean "datacenter"?',
    ],
  ],
  [
    'a key from elsewhere',
    changed('    user: homeward', '    user: homeward\n    colour: red'),
    [
      'h.yaml:16:5 sites.home.colour: unknown key; known here: kind, url, user, password, caFile, thumbprint, datacenter, isolatedNetwork',
    ],
  ],
  [
    'a misspelt section',
    changed('sites:\n', 'site:\n'),
    [
      'h.yaml:1:1 sites: is missing (expected keys with values)',
      'h.yaml:3:1 site: unknown key; did you mean "sites"?',
      'h.yaml:19:15 movers.m1.site: no site is called "home" (known: none is defined)',
      'h.yaml:26:21 machines.erp-db.source.site: no site is called "azure-west" (known: none is defined)',
      'h.yaml:27:21 machines.erp-db.target.site: no site is called "home" (known: none is defined)',
    ],
  ],
  [
    'a list where text belongs',
    changed('user: homeward', 'user: [a]'),
    ['h.yaml:15:11 sites.home.user: expected text, not a list'],
  ],
  [
    'a number where text belongs',
    changed('"00000000-0000-0000-0000-000000000000"', '1234'),
    ['h.yaml:6:21 sites.azure-west.subscriptionId: expected text, not a number; put it in quotes'],
  ],
  [
    'text where a number belongs',
    changed('roundEverySeconds: 60', 'roundEverySeconds: soon'),
    ['h.yaml:23:24 policies.nightly.roundEverySeconds: expected a number, not text'],
  ],
  [
    'a number out of range',
    changed('roundEverySeconds: 60', 'roundEverySeconds: 0'),
    ['h.yaml:23:24 policies.nightly.roundEverySeconds: must be 0.1 or more'],
  ],
  [
    'a number that is no choice',
    changed('sync: during', 'sync: during\n    commit: {people: 3}'),
    ['h.yaml:23:22 policies.nightly.commit.people: expected one of 1, 2'],
  ],
  [
    'a word that is no choice',
    changed('sync: during', 'sync: after'),
    ['h.yaml:22:11 policies.nightly.sync: expected one of before, during'],
  ],
  [
    'an empty value',
    changed('user: homeward', 'user:'),
    ['h.yaml:15:5 sites.home.user: is empty (expected text); fill it in or remove the key'],
  ],
  [
    'a missing key',
    changed('      clientId: c\n', ''),
    ['h.yaml:7:5 sites.azure-west.credential.clientId: is missing (expected text)'],
  ],
  [
    'an unknown kind of site',
    changed('kind: vsphere', 'kind: vmware'),
    ['h.yaml:13:11 sites.home.kind: is not known; use one of: azure, vsphere'],
  ],
  [
    'a site without a kind',
    changed('    kind: vsphere\n', ''),
    ['h.yaml:12:3 sites.home.kind: is missing; use one of: azure, vsphere'],
  ],
  [
    'an unknown credential',
    changed('client-secret', 'secret'),
    ['h.yaml:8:13 sites.azure-west.credential.kind: is not known; use one of: default, client-secret'],
  ],
  [
    'a URL that is none',
    changed('https://vc.example/sdk', 'vc.example'),
    ['h.yaml:14:10 sites.home.url: this is not a URL like https://host/path'],
  ],
  [
    'an address of Temporal that is a URL',
    changed('localhost:7233', 'https://temporal.example:7233'),
    ['h.yaml:2:12 temporal.address: write host:port, without https:// or a path'],
  ],
  [
    'a source without its resource group',
    changed('path: rg-dr/erp-db', 'path: erp-db'),
    ['h.yaml:26:39 machines.erp-db.source.path: in Azure a path is <resource group>/<machine>'],
  ],
  [
    'a target that is only a name',
    changed('path: /DC0/vm/erp-db', 'path: erp-db'),
    ['h.yaml:27:33 machines.erp-db.target.path: in vSphere a path is /<datacenter>/vm/<folders>/<machine>'],
  ],
  [
    'a name in capitals',
    changed('  erp-db:', '  ERP_DB:'),
    [
      'h.yaml:25:3 machines.ERP_DB: use lower-case letters, digits and dashes, at most 63, starting with a letter or digit',
    ],
  ],
  [
    'a disk called otherwise',
    changed('data-0:', 'sdb:'),
    ['h.yaml:32:7 machines.erp-db.disks.sdb: use os or data-<lun>'],
  ],
  [
    'a subscription that is no id',
    changed('"00000000-0000-0000-0000-000000000000"', 'nope'),
    [
      'h.yaml:6:21 sites.azure-west.subscriptionId: is no id of a subscription, like 6f1c0a52-93de-4b7a-8c55-0d2f4e9b7a10; az account show names it',
    ],
  ],
  [
    'a mover that is only a name',
    changed('vm: /DC0/vm/mover', 'vm: mover'),
    ['h.yaml:19:25 movers.m1.vm: in vSphere a path is /<datacenter>/vm/<folders>/<machine>'],
  ],
  [
    'two movers on one machine',
    changed('policies:', '  m2: { site: home, vm: DC0/vm/mover/, state: state/m2 }\npolicies:'),
    ['h.yaml:20:25 movers.m2.vm: mover "m1" is this machine already; a mover has one of its own'],
  ],
  [
    'a machine that is its own mover',
    changed('path: /DC0/vm/erp-db', 'path: /DC0/vm/mover'),
    ['h.yaml:27:33 machines.erp-db.target.path: this is the machine of mover "m1", which cannot write its own disks'],
  ],
  [
    'two disks that come home to one file',
    changed('erp-db_1.vmdk', 'erp-db.vmdk'),
    [
      'h.yaml:32:15 machines.erp-db.disks.data-0: os of erp-db comes home to this file already; each disk needs one of its own',
    ],
  ],
  [
    'a mover nobody defined',
    changed('mover: m1', 'mover: m2'),
    ['h.yaml:28:12 machines.erp-db.mover: no mover is called "m2" (known: m1)'],
  ],
  [
    'a policy nobody defined',
    changed('policy: nightly', 'policy: daily'),
    ['h.yaml:29:13 machines.erp-db.policy: no policy is called "daily" (known: nightly)'],
  ],
  [
    'a site nobody defined',
    changed('source: { site: azure-west', 'source: { site: azure'),
    ['h.yaml:26:21 machines.erp-db.source.site: no site is called "azure" (known: azure-west, home)'],
  ],
  [
    'a mover at another site',
    changed('m1: { site: home', 'm1: { site: azure-west'),
    ['h.yaml:28:12 machines.erp-db.mover: mover "m1" stands at another site than the target'],
  ],
  [
    'two machines of one source and one target',
    `${rightText}  erp-copy:
    source: { site: azure-west, path: RG-DR/erp-db }
    target: { site: home, path: DC0/vm/erp-db }
    mover: m1
`,
    [
      'h.yaml:34:39 machines.erp-copy.source.path: machine "erp-db" has this source already; two failbacks would write the same machine',
      'h.yaml:35:33 machines.erp-copy.target.path: machine "erp-db" has this target already; two failbacks would write the same machine',
    ],
  ],
  [
    'source and target the wrong way round',
    changed('source: { site: azure-west', 'source: { site: home')
      .replace('target: { site: home', 'target: { site: azure-west')
      .replace('m1: { site: home', 'm1: { site: azure-west'),
    [
      'h.yaml:26:21 machines.erp-db.source.site: "home" is of kind vsphere; the source must be of kind azure',
      'h.yaml:27:21 machines.erp-db.target.site: "azure-west" is of kind azure; the target must be of kind vsphere',
    ],
  ],
  [
    'a vCenter without encryption',
    changed('https://vc.example/sdk', 'http://vc.example/sdk'),
    ['h.yaml:14:10 sites.home.url: must begin with https://, because the password travels on this connection'],
  ],
  [
    'rounds faster than Azure takes snapshots',
    changed('roundEverySeconds: 60', 'roundEverySeconds: 44.9'),
    [
      'h.yaml:23:24 policies.nightly.roundEverySeconds: must be 45 or more: Azure takes at most 7 snapshots of a disk in 5 minutes',
    ],
  ],
  [
    'several of these beside a misspelt key',
    changed('roundEverySeconds: 60', 'roundEverySeconds: 5').replace('user: homeward', 'usr: homeward'),
    [
      'h.yaml:12:3 sites.home.user: is missing (expected text)',
      'h.yaml:15:5 sites.home.usr: unknown key; did you mean "user"?',
      'h.yaml:23:24 policies.nightly.roundEverySeconds: must be 45 or more: Azure takes at most 7 snapshots of a disk in 5 minutes',
    ],
  ],
  [
    'an address without a path',
    changed('path: rg-dr/erp-db', 'path: 7'),
    ['h.yaml:26:39 machines.erp-db.source.path: expected text, not a number; put it in quotes'],
  ],
  [
    'an alias of nothing',
    changed('user: homeward', 'user: *admin'),
    ['h.yaml:15:11 sites.home.user: an alias (*name) that cannot be used here; put text that starts with * in quotes'],
  ],
  [
    'a secret that is empty',
    changed('password: { env: VC_PASSWORD }', 'password:'),
    [`h.yaml:16:5 sites.home.password: is empty; ${secretAdvice}`],
  ],
  [
    'a secret with two places',
    changed('{ env: VC_PASSWORD }', '{ env: A, file: b }'),
    [`h.yaml:16:15 sites.home.password: this is not a reference to a secret; ${secretAdvice}`],
  ],
];

test('the right inventory has no problems', () => {
  expect(problemsOf(rightText)).toEqual([]);
});

test('another Azure than the public one, such as a lab, may have rounds as fast as it likes', () => {
  const fast = changed('roundEverySeconds: 60', 'roundEverySeconds: 2');
  const endpoint = (url: string): string => fast.replace('kind: azure\n', `kind: azure\n    endpoint: ${url}\n`);
  expect(problemsOf(endpoint('https://localhost:4443'))).toEqual([]);
  expect(problemsOf(endpoint('https://management.azure.com.lab.test'))).toEqual([]);
  expect(problemsOf(endpoint('https://Management.Azure.com/'))).toHaveLength(1);
});

test.each(misuses)('%s is told with its line and key', (_what, text, expected) => {
  expect(problemsOf(text)).toEqual(expected);
});

test('a tab is told with its line before anything else', () => {
  expect(problemsOf(changed('  azure-west:', '\tazure-west:'))[0]).toBe(
    'h.yaml:4:1 sites: a tab is used for indentation; use spaces',
  );
});

test('all problems are told at once, references among them', () => {
  const text = changed('sync: during', 'sync: after')
    .replace('mover: m1', 'mover: m2')
    .replace('user: homeward', 'user: 7');
  expect(problemsOf(text).map((line) => line.split(' ')[1])).toEqual([
    'sites.home.user:',
    'policies.nightly.sync:',
    'machines.erp-db.mover:',
  ]);
});

const inlineSecrets = [
  'hunter2',
  '"hunter2"',
  '{hunter2}',
  '{ value: hunter2 }',
  '[hunter2]',
  '*hunter2',
  '&hunter2',
  '!hunter2',
  '%hunter2',
  '@hunter2',
  '`hunter2',
  '"hunter2',
  "'hunter2",
  'hunter2: x',
  'hunter2:',
  '}hunter2',
  '|\n hunter2',
  '{ env: hunter2! }',
  '{ file: [hunter2] }',
  '{ env: x, hunter2: y }',
];
test.each(inlineSecrets)('S13 a secret written inline as %s is refused and never repeated', (written) => {
  const problems = problemsOf(changed('{ env: VC_PASSWORD }', written));
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.join('\n')).not.toContain('hunter2');
});

test('S13 a secret written inline gets a hint of its own', () => {
  const [problem] = problemsOf(changed('{ env: VC_PASSWORD }', 'hunter2'));
  expect(problem).toBe(
    `h.yaml:16:15 sites.home.password: a secret may not stand in the inventory (its value is not repeated here); ${secretAdvice}, and change the secret if this file was shared`,
  );
});

test.each([
  ['site', 'kind: vsphere', 'kind: vsfere', '{ env: VC_PASSWORD }', 'sites.home.password:'],
  ['credential', 'client-secret', 'secret', '{ file: secrets/azure }', 'sites.azure-west.credential.secret:'],
])(
  'S13 a secret beside the kind of a %s that is not known is told with it, and not repeated',
  (_of, kind, by, at, key) => {
    const problems = problemsOf(changed(kind, by).replace(at, 'hunter2'));
    expect(problems).toEqual([
      expect.stringContaining('is not known'),
      expect.stringContaining(`${key} a secret may not`),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  },
);

test('S13 a password inside a URL is refused and not repeated', () => {
  const problems = problemsOf(changed('https://vc.example/sdk', 'https://admin:hunter2@vc.example/sdk'));
  expect(problems).toEqual([
    'h.yaml:14:10 sites.home.url: a URL of the inventory may not carry a password; take it out',
  ]);
});

describe('files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'homeward-config-'));
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  test('a missing file says how to name one', async () => {
    const path = join(folder, 'none.yaml');
    await expect(loadInventory(path)).rejects.toThrow(
      `${path}: there is no such file; name it with --config or HOMEWARD_CONFIG`,
    );
  });

  test('a folder in place of the file says so', async () => {
    await expect(loadInventory(folder)).rejects.toThrow('this is a folder; name the file in it');
  });

  test('a loaded inventory knows its folder, and relative paths start there', async () => {
    const path = join(folder, 'homeward.yaml');
    await writeFile(path, rightText);
    const loaded = await loadInventory(path);
    expect(loaded).toMatchObject({ folder, path });
    expect(resolvePath(loaded.folder, 'secrets/azure')).toBe(join(folder, 'secrets', 'azure'));
    expect(resolvePath(loaded.folder, '/etc/secret')).toBe('/etc/secret');
  });

  test('a file with Windows line ends and a byte order mark is read', async () => {
    const path = join(folder, 'windows.yaml');
    await writeFile(path, `\ufeff${rightText.replaceAll('\n', '\r\n')}`);
    expect(Object.keys((await loadInventory(path)).inventory.machines)).toEqual(['erp-db']);
  });
});

test('the option beats HOMEWARD_CONFIG, which beats ./homeward.yaml', () => {
  expect(inventoryPath('a.yaml', { HOMEWARD_CONFIG: 'b.yaml' })).toBe('a.yaml');
  expect(inventoryPath(undefined, { HOMEWARD_CONFIG: 'b.yaml' })).toBe('b.yaml');
  expect(inventoryPath(undefined, { HOMEWARD_CONFIG: '' })).toBe('homeward.yaml');
});
