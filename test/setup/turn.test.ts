/**
 * Who waits for whom when several want the same turn, and whose lock is taken over.
 * Rule: each owner is a real process, or a link as one would have left it; the age of a lock is that of its link.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, lutimesSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { hostname, tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const turn = pathToFileURL(join(__dirname, '..', '..', 'setup', 'turn.mjs')).href;
let folder: string;
let lock: string;
const owners: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-turn-'));
  lock = join(folder, 'lock');
});
afterEach(async () => {
  for (const owner of owners.splice(0)) {
    owner.kill('SIGKILL');
    if (owner.exitCode === null && owner.signalCode === null) await once(owner, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A process that does this with `inTurn`, `lock` and `pause` at hand; what it says by `tell` is on its standard output. */
function script(text: string): ChildProcess {
  const before = `import { inTurn } from ${JSON.stringify(turn)};
import { setTimeout as pause } from 'node:timers/promises';
    const lock = ${JSON.stringify(lock)};
    const tell = (text) => console.log(text);`;
  const args = ['--input-type=module', '-e', `${before}\n${text}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  owners.push(child);
  return child;
}

async function saidBy(child: ChildProcess): Promise<string[]> {
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, 'close');
  return said.trim().split('\n');
}

/** A process that has the turn and keeps it. */
async function owner(): Promise<ChildProcess> {
  const child = script("await inTurn(lock, () => { tell('mine'); return pause(600_000); });");
  await once(child.stdout as Readable, 'data');
  return child;
}

function ageTo(seconds: number): void {
  const at = new Date(Date.now() - seconds * 1000);
  lutimesSync(lock, at, at);
}

const ageMs = (): number => Date.now() - lstatSync(lock).mtimeMs;

/** Said to a process before it asks: that its computer has run for weeks, so that none of its locks is older than that. */
const longRunning = `import os from 'node:os';
  import { syncBuiltinESMExports } from 'node:module';
  os.uptime = () => 30 * 86_400;
  syncBuiltinESMExports();`;

/** Whether the turn comes to another process without the lock being removed. */
async function comes(before = ''): Promise<boolean> {
  const said = await saidBy(
    script(`${before}
      const came = inTurn(lock, () => 'came');
      tell(await Promise.race([came, pause(1_000, 'waits')]));
      process.exit();`),
  );
  return said[0] === 'came';
}

/** Said to a process before it asks: whenever it renames, it stands still for a second first. */
const slowToRename = `import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const rename = fs.renameSync;
  fs.renameSync = (...names) => {
    tell('renames');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    rename(...names);
  };
  syncBuiltinESMExports();`;
/** Work that says when it begins and ends. */
const work = `await inTurn(lock, async () => {
    const begins = Date.now();
    await pause(1_500);
    tell(begins + ' ' + Date.now());
  });`;

/** The lock of a process that is gone. */
async function leaveBehind(): Promise<void> {
  const killed = await owner();
  killed.kill('SIGKILL');
  await once(killed, 'exit');
}

// A computer that runs for less has no lock so old of its own.
const hour = Math.min(2 * 3_600, uptime() - 10);

test('two callers in one process have their turns one after the other', async () => {
  const asked = script(`const work = (name) => async () => {
      tell(name + ' begins');
      await pause(300);
      tell(name + ' ends');
    };
    await Promise.all([inTurn(lock, work('one')), inTurn(lock, work('two'))]);`);
  expect(await saidBy(asked)).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
}, 30_000);

test('the lock of a process that lives is not taken, however old it is', async () => {
  await owner();
  ageTo(hour);
  expect(await comes()).toBe(false);
}, 30_000);

test('the lock of a process that was killed is taken at once', async () => {
  await leaveBehind();
  expect(await comes()).toBe(true);
}, 30_000);

test('of two that find the owner gone at the same moment the later waits for the other, however late that acts', async () => {
  await leaveBehind();
  const late = script(`${slowToRename}\n${work}`);
  const saidByLate = saidBy(late);
  await once(late.stdout as Readable, 'data');
  const [first = '', second = ''] = [(await saidBy(script(work))).at(-1), (await saidByLate).at(-1)].sort();
  expect(Number(second.split(' ')[0])).toBeGreaterThanOrEqual(Number(first.split(' ')[1]));
}, 30_000);

test('the turn comes to others when who was about to take over the lock of a dead process is killed, too', async () => {
  await leaveBehind();
  const late = script(`${slowToRename}\n${work}`);
  await once(late.stdout as Readable, 'data');
  late.kill('SIGKILL');
  await once(late, 'exit');
  expect(await comes()).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
}, 30_000);

test('the lock of a process whose number another has by now is taken', async () => {
  if (process.platform !== 'linux') return;
  const other = await owner();
  rmSync(lock);
  symlinkSync(`${hostname()}:${other.pid}:1:1`, lock);
  expect(await comes()).toBe(true);
}, 30_000);

test('the lock of a process that was killed and that nobody reaps is taken', async () => {
  if (process.platform !== 'linux') return;
  // What becomes of it in a container whose first process waits for no child of others.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
  owners.push(parent);
  const [said] = (await once(parent.stdout as Readable, 'data')) as [Buffer];
  const pid = Number(said.toString());
  const startOf = (): string | undefined => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  symlinkSync(`${hostname()}:${pid}:${startOf()}:1`, lock);
  expect(await comes()).toBe(false);
  process.kill(pid, 'SIGKILL');
  expect(await comes()).toBe(true);
}, 30_000);

test('the lock of a process that nothing tells from a later one of its number is taken once it has not been touched for an hour', async () => {
  const other = await owner();
  rmSync(lock);
  symlinkSync(`${hostname()}:${other.pid}`, lock);
  expect(await comes(longRunning)).toBe(false);
  ageTo(2 * 3_600);
  expect(await comes(longRunning)).toBe(true);
}, 30_000);

test('the lock of one before us that had our own number is taken', async () => {
  const asked = script(`import { symlinkSync } from 'node:fs';
    import { hostname } from 'node:os';
    symlinkSync(hostname() + ':' + process.pid + '::1', lock);
    tell(await Promise.race([inTurn(lock, () => 'came'), pause(1_000, 'waits')]));
    process.exit();`);
  expect(await saidBy(asked)).toEqual(['came']);
}, 30_000);

test('the lock of another computer is taken only when its owner has not touched it for an hour', async () => {
  symlinkSync('elsewhere:1:1:1', lock);
  expect(await comes()).toBe(false);
  ageTo(2 * 3_600);
  expect(await comes()).toBe(true);
}, 30_000);

test('whoever has the turn touches its lock while it works, and nobody else\u2019s', async () => {
  // Its minutes are a tenth of a second long.
  const quick = script(`const real = setInterval;
    globalThis.setInterval = (act, ms) => real(act, ms / 600);
    await inTurn(lock, () => { tell('mine'); return pause(600_000); });`);
  await once(quick.stdout as Readable, 'data');
  ageTo(3_000);
  for (const end = Date.now() + 20_000; ageMs() > 1_000_000; await pause(20)) expect(Date.now()).toBeLessThan(end);
  rmSync(lock);
  symlinkSync('elsewhere:1:1:1', lock);
  ageTo(3_000);
  await pause(500);
  expect(ageMs()).toBeGreaterThan(2_000_000);
}, 30_000);
