/**
 * The house rules as a test: who may import whom, file length, opening comments, names, generated documents.
 * Rule: a rule that cannot be checked here is a wish; loosening one needs a reason in docs/architecture.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { phasesDocument } from '../../docs/generate-phases.ts';
import { documentsWithTests, withTests } from '../../docs/generate-requirements.ts';

const root = join(__dirname, '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const product = ['model', 'disk', 'sites', 'activities', 'workflows', 'workers', 'client', 'config'];
const inProduct = sources.filter((file) => product.includes(file.split('/')[0] ?? ''));

/** Where each part may reach, by path prefix; packages are listed where they are restricted. */
const reach: Readonly<Record<string, readonly string[]>> = {
  model: ['model/'],
  disk: ['disk/', 'model/'],
  'sites/azure': ['sites/azure/', 'sites/source.ts', 'sites/target.ts', 'disk/', 'model/'],
  'sites/vsphere': ['sites/vsphere/', 'sites/source.ts', 'sites/target.ts', 'disk/', 'model/'],
  sites: ['sites/source.ts', 'sites/target.ts', 'disk/', 'model/'],
  activities: ['activities/', 'sites/source.ts', 'sites/target.ts', 'disk/', 'model/'],
  workflows: ['workflows/', 'activities/', 'model/'],
  config: ['config/', 'model/'],
  client: ['client/', 'config/', 'model/'],
  workers: [
    'workers/',
    'client/',
    'config/',
    'workflows/',
    'activities/',
    'sites/',
    'disk/',
    'model/',
    'setup/kept.mjs',
    'setup/places.mjs',
    'setup/parents.mjs',
  ],
};
const packages: Readonly<Record<string, RegExp>> = {
  model: /^(zod|@noble\/hashes\/.*)$/,
  workflows: /^@temporalio\/(workflow|common)$/,
  disk: /^(node:.*|@napi-rs\/blake-hash|fs-native-extensions)$/,
};
const noTemporal = /^@temporalio\//;

interface Import {
  readonly file: string;
  readonly from: string;
  readonly typeOnly: boolean;
}

const importsOf = (file: string): Import[] =>
  [...textOf(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)].map((found) => ({
    file,
    from: found[2] ?? '',
    typeOnly: found[1] !== undefined,
  }));

const partOf = (file: string): string => Object.keys(reach).find((part) => file.startsWith(`${part}/`)) ?? '';
const targetOf = (one: Import): string => normalize(join(dirname(one.file), one.from));

test('every part imports only what lies below it', () => {
  const wrong = inProduct.flatMap(importsOf).filter((one) => {
    const part = partOf(one.file);
    if (!one.from.startsWith('.')) {
      if (part.startsWith('sites') && noTemporal.test(one.from)) return true;
      const allowed = packages[part];
      return allowed !== undefined && !allowed.test(one.from);
    }
    const target = targetOf(one);
    if (part === 'workflows' && target.startsWith('activities/') && !one.typeOnly) return true;
    return !(reach[part] ?? []).some((prefix) => target.startsWith(prefix));
  });
  expect(wrong).toEqual([]);
});

test('nothing of the product imports the lab or the tests', () => {
  const wrong = inProduct
    .flatMap(importsOf)
    .filter((one) => one.from.startsWith('.') && /^(lab|test|bench)\//.test(targetOf(one)));
  expect(wrong).toEqual([]);
});

test('L7 whatever worked for long ends in the one way that no thread of V8 can hold up', () => {
  const exits = sources.filter((file) => !/^(test|bench)\//.test(file) && textOf(file).includes('process.exit('));
  // A pipe that nobody reads any more ends its writer before it does anything else; the watchdog never did anything.
  expect(exits).toEqual(['client/leaving.ts', 'client/streams.ts', 'lab/watchdog.ts']);
});

/** What each file imports of ours; `of` those that count. */
const importGraph = (of: (one: Import) => boolean = () => true): ReadonlyMap<string, string[]> =>
  new Map(
    sources.map((file) => [
      file,
      importsOf(file)
        .filter((one) => one.from.startsWith('.') && of(one))
        .map(targetOf),
    ]),
  );

test('no test loads an ES module of the set-up through others: tests run as CommonJS, and a file that does not load shows nothing', () => {
  const graph = importGraph(({ typeOnly }) => !typeOnly);
  const loaded = new Set(sources.filter((file) => file.endsWith('.test.ts')));
  for (const file of loaded) for (const next of graph.get(file) ?? []) loaded.add(next);
  expect([...loaded].filter((file) => file.endsWith('.mjs'))).toEqual([]);
});

test('no file imports itself through others', () => {
  const graph = importGraph();
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (done.has(file) || trail.includes(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  expect(cycles).toEqual([]);
});

test('every source file opens with what it is for', () => {
  expect(sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(textOf(file)))).toEqual([]);
});

test('files stay short enough to be one idea', () => {
  const limit = (file: string): number => (file.startsWith('test/') || file.startsWith('bench/') ? 400 : 300);
  const long = sources.filter((file) => textOf(file).split('\n').length > limit(file));
  expect(long).toEqual([]);
});

test('file names say what they are', () => {
  const banned = /(^|[/-])(utils?|helpers?|common|misc|lib|types|manager|service|src|dst)([-./]|$)/;
  expect(sources.filter((file) => banned.test(relative('.', file)) || /[A-Z_]/.test(file))).toEqual([]);
});

test('no source says what it must not', () => {
  const forbidden = [
    new RegExp(['NODE_TLS_', 'REJECT'].join('')),
    new RegExp(['@ts-', '(ignore|expect-error)'].join('')),
    new RegExp(['\\b(TO', 'DO|FIX', 'ME)\\b'].join('')),
    new RegExp(['\\b(it|test|describe)\\.', 'only\\b'].join('')),
  ];
  const wrong = sources.flatMap((file) =>
    forbidden.filter((rule) => rule.test(textOf(file))).map((rule) => `${file}: ${rule}`),
  );
  expect(wrong).toEqual([]);
});

test('TLS checks are touched in two places only: where `thumbprint` puts a pinned certificate in their stead, and where a probe says acceptAnyCertificate', () => {
  const rule = new RegExp(['reject', 'Unauthorized'].join(''));
  expect(sources.filter((file) => rule.test(textOf(file)))).toEqual([
    'sites/network-look.ts',
    'sites/vsphere/transport.ts',
  ]);
});

test('docs/phases.md is what the law says', () => {
  expect(textOf('docs/phases.md')).toBe(phasesDocument());
});

test('every promise and requirement names the tests that show it, or says not yet', () => {
  for (const document of documentsWithTests()) expect(textOf(document)).toBe(withTests(document));
});

test('each requirement of the way from Azure to VMware names a test, or why it has none', () => {
  const rows = textOf('docs/requirements.md').match(/^\| S00[01]-\d+ .*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => /\| not yet \|$/.test(row))).toEqual([]);
});

test('the example inventory is valid', async () => {
  const { parseInventory } = await import('../../config/load.ts');
  expect(
    Object.keys(parseInventory(textOf('docs/homeward.example.yaml'), 'docs/homeward.example.yaml').machines),
  ).toEqual(['erp-db', 'erp-web']);
});
