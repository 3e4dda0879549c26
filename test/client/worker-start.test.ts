/**
 * The workers' command lines misused: told in two lines with what to do and an exit code, never as a stack trace.
 * Rule: the real programs run as processes of their own; no Temporal is there, which is one of the mistakes.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rightText } from '../config/inventory-text.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-worker-'));
  // Port 1 is never Temporal: connections are refused at once.
  const text = rightText.replace('localhost:7233', '127.0.0.1:1').replace('state: state/m1', 'state: right.yaml/state');
  await writeFile(join(folder, 'right.yaml'), text);
  // A control worker does not start without what the inventory names.
  await mkdir(join(folder, 'secrets'));
  await writeFile(join(folder, 'secrets', 'azure'), 'secret', { mode: 0o600 });
  await writeFile(join(folder, 'proc.yaml'), text.replace('right.yaml/state', '/proc/homeward/state'));
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function worker(kind: string, ...args: string[]): Promise<Ended> {
  const mine = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL|HOMEWARD|FORCE_COLOR|NODE_OPTIONS)/.test(name),
  );
  const env = {
    ...Object.fromEntries(mine),
    NO_COLOR: '1',
    VC_PASSWORD: 'secret',
    TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
  };
  const program = join(__dirname, '..', '..', 'workers', `${kind}.ts`);
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { cwd: folder, env, timeout: 60_000 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

test.each(['control', 'mover'])(
  'the %s worker tells its usage, options and exit codes when asked for help',
  async (kind) => {
    const ended = await worker(kind, '--help');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain(`npm run ${kind} -- [--config <file>]`);
    expect(ended.out).toContain('4 Temporal does not answer');
    // Of the login to one machine's guest it only warns.
    expect(ended.out.includes('a secret of a site or of Temporal that is not here')).toBe(kind === 'control');
  },
);

test('what keeps a worker from starting is told with what to do, and no stack trace', async () => {
  const mistakes: readonly (readonly [string[], number, string, string])[] = [
    [
      ['mover', '--confg', 'x'],
      2,
      "Unknown option '--confg' (did you mean --config?)",
      'Read: npm run mover -- --help',
    ],
    [['control', '--id', 'm1'], 2, "Unknown option '--id'", 'Read: npm run control -- --help'],
    [['mover', 'm1'], 2, "Unexpected argument 'm1'", 'Read: npm run mover -- --help'],
    [['mover', '--id'], 2, "--id <value>' argument missing", 'Read: npm run mover -- --help'],
    [['mover', '--config', 'right.yaml', '--id', 'm11'], 2, 'the inventory has no mover called "m11"', 'known: m1'],
    [['mover', '--config', 'right.yaml'], 2, 'right.yaml/state cannot be used (ENOTDIR)', 'movers.m1.state'],
    // Where the system makes no folder, a recursive mkdir of Node's tries for ever.
    [['mover', '--config', 'proc.yaml'], 2, '/proc/homeward/state cannot be used (ENOENT)', 'movers.m1.state'],
    [['mover'], 2, 'homeward.yaml: there is no such file', 'homeward config check'],
    [
      ['control', '--config', 'right.yaml'],
      4,
      'Temporal does not answer at 127.0.0.1:1 (homeward.yaml): nobody listens there (Connection refused)\n',
      'TEMPORAL_ADDRESS',
    ],
  ];
  const all = mistakes.map(async ([[kind = '', ...args], code, what, todo]) => {
    const ended = await worker(kind, ...args);
    expect({ args, code: ended.code, out: ended.out }).toEqual({ args, code, out: '' });
    expect(ended.err).toContain(what);
    expect(ended.err).toContain(todo);
    expect(ended.err).not.toMatch(/^\s+at /m);
  });
  await Promise.all(all);
});
