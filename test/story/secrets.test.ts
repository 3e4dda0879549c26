/**
 * S13, looked for where secrets leak: after whole runs with refused logins and failing transfers, no password, client
 * secret, grant or token is in any history, heartbeat, status, log, command-line answer, mark or mover's journal.
 * Rule: each place is first shown to be read rightly, by finding there what must be in it.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { tell } from './both-worlds.ts';
import { homeward, temporal } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';

/** What a secret of this kind looks like, whatever its value. */
const patterns: readonly (readonly [string, RegExp])[] = [
  ['the signature of a grant', /[?&;](sig|se|sp)=[\w%]/i],
  ['a grant by its name in the answer', /accessSAS"?\s*[:=]\s*"?http/i],
  ['the address of an exported disk', /https?:\/\/md-[\w.-]+\//i],
  ['a bearer token', /eyJ[\w-]{10,}\.[\w-]{10,}/],
  ['a header that signs in', /Bearer\s+[\w-]{8,}/],
  ['a vCenter session cookie', /vmware_soap_session["\s]*[=:]/i],
];

let scene: Scene;
/** Place to text; everything that was said anywhere. */
const places = new Map<string, string>();
const secrets: (readonly [string, string])[] = [];
let machines: readonly string[] = [];

const collect = (place: string, text: string): void => void places.set(place, `${places.get(place) ?? ''}\n${text}`);

/** Payloads are base64 in the JSON of Temporal's messages: read as well, or nothing in them would be found. */
const withPayloads = (json: string): string =>
  [
    json,
    ...[...json.matchAll(/"data":\s*"([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString()),
  ].join('\n');

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What the server shows of running workflows: heartbeats, last failures, details. */
async function lookAtServer(run: Run): Promise<void> {
  const looks = [run.id, `${run.id}/rounds`].map(async (id) => {
    const handle = scene.link.client.workflow.getHandle(id);
    const described = await handle.describe().catch(() => undefined);
    if (!described) return;
    collect('heartbeats', withPayloads(JSON.stringify(described.raw)));
    const shown = await temporal(scene.lab, 'workflow', 'describe', '--workflow-id', id, '-o', 'json');
    collect('heartbeats', withPayloads(shown.out));
    collect('details', JSON.stringify(await handle.query('__temporal_workflow_metadata').catch(() => '')));
  });
  await Promise.all(looks);
}

/** Until the server itself has shown how far a copy is: between a view of it and a look at the server it may end. */
async function untilCopying(run: Run): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!places.get('heartbeats')?.includes('doneBytes') && performance.now() < deadline) await lookAtServer(run);
}

async function askEverything(run: Run): Promise<void> {
  const { name } = run.machine;
  const asked = [
    ['failback', 'status', name],
    ['--json', 'failback', 'status', name],
  ];
  const [, view, ...answers] = await Promise.all([
    lookAtServer(run),
    run.view(),
    ...asked.map((args) => homeward(scene.lab, ...args)),
  ]);
  collect('status', JSON.stringify(view));
  for (const { out, err } of answers) collect('command line', out + err);
}

/** What the mover keeps on its own disk; of a run that has ended it keeps nothing (S11). */
async function lookAtMover(): Promise<void> {
  for (const file of await filesBelow(scene.lab.moverState)) {
    // A lock may go between the two looks.
    const kept = await readFile(file, 'latin1').catch((error: { code?: string }) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (kept !== undefined) collect('mover state', `${file} ${kept}`);
  }
}

/** A run in which everything that carries a secret fails once with it: logins, grants, reads, vCenter calls. */
async function troubledRun(): Promise<Run> {
  const run = await scene.begin();
  const { name } = run.machine;
  for (const [operation, action] of [
    ['snapshots.grantAccess', { status: 503, code: 'InternalError' }],
    ['blob.getRange', { status: 403, code: 'AuthenticationFailed', message: 'Signature did not match.' }],
    ['blob.getRange', { drop: 'before' }],
    ['blob.pageList', { status: 500, code: 'InternalError' }],
    ['blob.getRange', { truncateBytes: 100 }],
  ] as const)
    await scene.fault('azure', { operation, resource: name, count: 1, action });
  await scene.fault('azure', {
    operation: 'blob.getRange',
    resource: name,
    skip: 4,
    count: 30,
    action: { delayMs: 400 },
  });
  await untilCopying(run);
  await askEverything(run);
  await run.until('Syncing');
  await lookAtMover();
  await tell(`${scene.lab.azure.control}/expire-sas`, {});
  await tell(`${scene.lab.azure.control}/revoke-tokens`, {});
  await tell(`${scene.lab.vcenter.control}/sessions/expire`, {});
  await run.comeHome();
  await askEverything(run);
  return run;
}

/** A run that meets wrong secrets: what both sides say about them must not carry them either. */
async function refusedRun(): Promise<Run> {
  const { passwordFile } = scene.lab.vcenter;
  const { clientSecretFile } = scene.lab.azure;
  const right = await Promise.all([passwordFile, clientSecretFile].map((file) => readFile(file, 'utf8')));
  const wrong = ['wrong-password-of-vcenter-4711', 'wrong-secret-of-azure-0815'] as const;
  secrets.push(['a wrong vCenter password', wrong[0]], ['a wrong Azure secret', wrong[1]]);
  await writeFile(passwordFile, wrong[0]);
  await writeFile(clientSecretFile, wrong[1]);
  await scene.workers.restart('control');
  const run = await scene.begin({ sync: 'during' });
  await run.until('NeedsOperator');
  await askEverything(run);
  const { out, err } = await homeward(scene.lab, '--json', 'preflight', run.machine.name);
  collect('command line', out + err);
  await writeFile(passwordFile, right[0] ?? '');
  await writeFile(clientSecretFile, right[1] ?? '');
  await run.say('cancel');
  await run.until('ReturnedToSource');
  return run;
}

async function collectAll(runs: readonly Run[]): Promise<void> {
  const { client } = scene.link;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    collect('histories', withPayloads(historyToJSON(history)));
  }
  for (const { machine } of runs) {
    const { out, err } = await homeward(scene.lab, 'failback', 'evidence', machine.name, '--verify');
    collect('command line', out + err);
  }
  // The server's own file holds all it was ever told, also what a history no longer shows.
  for (const file of ['temporal.sqlite', 'temporal.sqlite-wal'])
    collect('the server’s file', await readFile(join(scene.lab.folder, file), 'latin1').catch(() => ''));
  for (const worker of ['control', 'mover'] as const)
    collect('worker logs', await readFile(scene.workers.logFile(worker), 'utf8'));
  await lookAtMover();
  collect('marks on the machines', await (await fetch(`${scene.lab.vcenter.control}/state`)).text());
  collect('the inventory', await readFile(scene.lab.config, 'utf8'));
}

beforeAll(async () => {
  // Large enough to be seen while it copies.
  scene = await openScene(2, { osSizeBytes: 48 << 20, dataSizeBytes: 32 << 20 });
  const { azure, vcenter } = scene.lab;
  secrets.push(['the vCenter password', await readFile(vcenter.passwordFile, 'utf8')]);
  secrets.push(['the Azure client secret', await readFile(azure.clientSecretFile, 'utf8')]);
  const runs = [await troubledRun(), await refusedRun()];
  machines = runs.map((run) => run.machine.name);
  await collectAll(runs);
}, 400_000);
afterAll(() => scene?.close(), 60_000);

const placeNames = [
  'histories',
  'heartbeats',
  'details',
  'status',
  'command line',
  'the server’s file',
  'worker logs',
  'mover state',
  'marks on the machines',
  'the inventory',
] as const;

test.each(placeNames)('S13 no secret is in %s', (place) => {
  const text = places.get(place) ?? '';
  // Read rightly: what must be there is found.
  expect(text).toContain(place === 'worker logs' ? '"ready":true' : machines[0]);
  const found = [
    ...secrets.filter(([, value]) => text.includes(value)).map(([what]) => what),
    ...patterns
      .filter(([, pattern]) => pattern.test(text))
      .map(([what, pattern]) => `${what}: ${pattern.exec(text)?.index}`),
  ];
  expect(found).toEqual([]);
});

test('S13 the histories hold the refused logins and the failed reads, so the search had something to find', () => {
  const text = places.get('histories') ?? '';
  expect(text).toMatch(/InvalidLogin/);
  expect(text).toMatch(/AADSTS7000215|invalid_client/);
  expect(text).toContain('snapshots/homeward-');
  expect(places.get('heartbeats')).toContain('doneBytes');
});

test.each([
  'https://md-hdd-x.z1.blob.storage.azure.net/a?sv=2018-03-28&sr=b&si=1&sig=ab%2Bc%3D',
  '{"accessSAS":"https://somewhere"}',
  'authorization: Bearer eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwcyJ9.c2ln',
  'vmware_soap_session="52a1"',
])('the search knows a secret when it sees one: %s', (text) => {
  expect(patterns.filter(([, pattern]) => pattern.test(text))).not.toEqual([]);
});
