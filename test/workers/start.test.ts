/**
 * A worker that starts but will not do all that is hoped for says so at once, to the log and on its ready line.
 * Rule: the real workers run as processes of their own against a real Temporal server; nothing asks it to work.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { findPrograms } from '../../lab/programs.ts';
import { startTemporal, type TemporalServer } from '../../lab/temporal.ts';
import { rightText } from '../config/inventory-text.ts';
import { type Relay, relayTo } from '../story/relay.ts';

let folder = '';
let temporal: TemporalServer;
let relay: Relay | undefined;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-start-'));
  temporal = await startTemporal((await findPrograms()).temporal, folder);
  await writeFile(join(folder, 'homeward.yaml'), rightText.replace('localhost:7233', temporal.address));
}, 60_000);
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}, 30_000);
afterAll(async () => {
  relay?.close();
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

interface Mover {
  readonly child: ChildProcess;
  /** The ready line. */
  readonly ready: { readonly missing?: readonly string[] };
  /** What it logged of this weight (pino: 30 info, 40 warn) so far. */
  logged(level: number): string[];
}

function begin(kind: 'control' | 'mover', address?: string, more: NodeJS.ProcessEnv = {}): ChildProcess {
  const mine = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|HOMEWARD|NODE_OPTIONS|VC_)/.test(name));
  const program = join(__dirname, '..', '..', 'workers', `${kind}.ts`);
  const named = kind === 'mover' ? ['--id', 'm1'] : [];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...named], {
    cwd: folder,
    env: {
      ...Object.fromEntries(mine),
      TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
      ...(address === undefined ? {} : { TEMPORAL_ADDRESS: address }),
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return child;
}

async function mover(address?: string): Promise<Mover> {
  const child = begin('mover', address);
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const [line] = (await once(child.stdout as Readable, 'data')) as [Buffer];
  const lines = () =>
    log
      .split('\n')
      .filter((each) => each.startsWith('{'))
      .map((each) => JSON.parse(each) as { level: number; msg: string });
  return {
    child,
    ready: JSON.parse(line.toString()),
    logged: (level) => lines().flatMap((each) => (each.level === level ? [each.msg] : [])),
  };
}

test('S000-8 a control worker whose secrets are not there ends with 2 before it takes any work, and says which', async () => {
  const child = begin('control');
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  expect((await once(child, 'close'))[0]).toBe(2);
  expect(said.out).toBe('');
  expect(said.err).toMatch(/homeward\.yaml:\d+:\d+ sites\.home\.password: .*VC_PASSWORD is not set/);
  expect(said.err).toContain('start the worker again');
}, 60_000);

test('L5 S000-8 a control worker that lacks only the login to the guest of a machine works, and warns of it', async () => {
  const guest = `${rightText}    guest: { user: root, password: { env: ERP_GUEST } }\n`;
  await writeFile(join(folder, 'guest.yaml'), guest.replace('localhost:7233', temporal.address));
  await mkdir(join(folder, 'secrets'));
  await writeFile(join(folder, 'secrets', 'azure'), 'not looked at', { mode: 0o600 });
  const child = begin('control', undefined, { VC_PASSWORD: 'nor this', HOMEWARD_CONFIG: join(folder, 'guest.yaml') });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const [line] = (await once(child.stdout as Readable, 'data')) as [Buffer];
  expect(JSON.parse(line.toString())).toMatchObject({
    ...{ ready: true, worker: 'control', missing: ['machines.erp-db.guest.password'] },
  });
  // Its log is told as it comes, and the ready line on another stream.
  while (!log.includes('ERP_GUEST')) await once(child.stderr as Readable, 'data');
  expect(log).toMatch(/a step that needs it is left to another control worker, and calls an operator when none has it/);
}, 60_000);

test('a mover whose secrets are not there warns of each and names their keys when it is ready', async () => {
  const { ready, logged } = await mover();
  expect(ready.missing).toContain('sites.home.password');
  expect(logged(40)).toContainEqual(
    expect.stringMatching(/^a step that needs it will call an operator: .*VC_PASSWORD is not set/),
  );
}, 60_000);

test('a second mover of the same name warns at its start that another one works on its queue', async () => {
  const first = await mover();
  const second = await mover();
  const warning = expect.stringContaining('another worker asks for work on "mover-m1"');
  expect(second.logged(40)).toContainEqual(warning);
  expect(first.logged(40)).not.toContainEqual(warning);
}, 60_000);

test('L7 a worker that is asked to end while it still waits for a silent Temporal says so and ends with 0 at once', async () => {
  const silent = createServer((socket) => void socket.resume().on('error', () => undefined))
    .listen(0, '127.0.0.1')
    .unref();
  await once(silent, 'listening');
  const child = begin('mover', `127.0.0.1:${(silent.address() as AddressInfo).port}`);
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await once(silent, 'connection');
  const begun = Date.now();
  child.kill('SIGTERM');
  expect((await once(child, 'close'))[0]).toBe(0);
  expect(Date.now() - begun).toBeLessThan(10_000);
  expect(log).toContain('asked to end (SIGTERM)');
}, 60_000);

test('L7 a worker that is asked to end says so in one line and ends with 0 in time, also while Temporal refuses it or stays silent', async () => {
  relay = await relayTo(temporal.address);
  const [near, far, cutOff] = await Promise.all([mover(), mover(), mover(relay.address)]);
  const end = async ({ child, logged }: Mover, signal: NodeJS.Signals) => {
    const begun = Date.now();
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    const said = logged(30).filter((line) => line.includes(signal));
    return { code, said, soon: Date.now() - begun < 10_500, fatal: logged(60) };
  };
  const asked = (signal: string) => ({
    ...{ code: 0, soon: true, fatal: [] },
    said: [expect.stringMatching(`^asked to end \\(${signal}\\)`)],
  });
  relay.cut();
  const ends = await Promise.all([end(near, 'SIGINT'), end(cutOff, 'SIGTERM')]);
  expect(ends).toEqual([asked('SIGINT'), asked('SIGTERM')]);
  await temporal.kill();
  expect(await end(far, 'SIGTERM')).toEqual(asked('SIGTERM'));
  expect(cutOff.logged(40)).toContainEqual(expect.stringContaining('Temporal did not take the farewell'));
}, 60_000);
