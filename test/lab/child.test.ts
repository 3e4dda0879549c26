/**
 * Programs of the lab: readiness, last words, and that none outlives the lab, however the lab ends.
 * Rule: whether a process lives is asked by its id.
 * Never needs the simulators; Temporal's server is the one real program here.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { makeCertificates, serverNames } from '../../lab/certificates.ts';
import { startChild } from '../../lab/child.ts';
import { findPrograms } from '../../lab/programs.ts';
import { startTemporal } from '../../lab/temporal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-child-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const gone = async (pid: number): Promise<boolean> => {
  for (const end = Date.now() + 9_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50)))
    if (!alive(pid)) return true;
  return false;
};

const program = process.execPath;
/** Ignores every polite request to end. */
const stubborn = `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);
  console.log(JSON.stringify({ ready: true, port: 7 }));`;
const plan = (name: string, code: string) => ({
  ...{ name, program, args: ['-e', code], logFolder: folder, ready: { lineWith: 'ready' } },
});

test('a program says that it is ready, and what it said can be read', async () => {
  const child = await startChild(plan('says', `${stubborn} process.removeAllListeners('SIGTERM')`));
  expect(child.said).toEqual({ ready: true, port: 7 });
  expect(alive(child.pid)).toBe(true);
  await child.stop();
  expect(alive(child.pid)).toBe(false);
});

test('a program that ends before it was ready is an error with its last words', async () => {
  const code = `console.error('the disk is made of cheese'); process.exit(3)`;
  await expect(startChild(plan('fails', code))).rejects.toThrow(/ended before it was ready[\s\S]*made of cheese/);
});

test('a program that is never ready is stopped and named', async () => {
  const never = { ...plan('never', 'setInterval(() => undefined, 1000)'), readyWithinMs: 700 };
  await expect(startChild(never)).rejects.toThrow(/never was not ready in time/);
});

test('a killed program is gone at once', async () => {
  const child = await startChild(plan('killed', stubborn));
  await child.kill();
  expect([alive(child.pid), child.running()]).toEqual([false, false]);
});

test('a program that ignores SIGTERM does not outlive a lab that was killed', async () => {
  const lab = join(folder, 'lab.ts');
  const child = join(import.meta.dirname, '../../lab/child.ts');
  await writeFile(
    lab,
    `import { startChild } from ${JSON.stringify(child)};
     const child = await startChild(${JSON.stringify(plan('orphan', stubborn))});
     console.log(child.pid);`,
  );
  const process_ = spawn(program, [lab], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(process_.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  expect(alive(pid)).toBe(true);
  process_.kill('SIGKILL');
  expect(await gone(pid)).toBe(true);
}, 20_000);

test('the certificates are for localhost and for every disk’s host, and only the owner may read the key', async () => {
  const { caFile, certFile, keyFile } = await makeCertificates(folder);
  const { X509Certificate } = await import('node:crypto');
  const { readFile, stat } = await import('node:fs/promises');
  const [ca, server] = await Promise.all(
    [caFile, certFile].map(async (file) => new X509Certificate(await readFile(file))),
  );
  if (ca === undefined || server === undefined) throw new Error('no certificate');
  expect(server.verify(ca.publicKey)).toBe(true);
  for (const host of [serverNames[0] ?? '', 'md-hdd-x.blob.storage.azure.net'])
    expect(server.checkHost(host)).toBeDefined();
  for (const ip of ['127.0.0.1', '::1']) expect(server.checkIP(ip)).toBeDefined();
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
});

test('a killed Temporal server comes back on the same ports with everything it had acknowledged', async () => {
  const { temporal: server } = await findPrograms();
  const temporal = await startTemporal(server, folder);
  try {
    const connection = await Connection.connect({ address: temporal.address });
    const client = new Client({ connection });
    const started = await client.workflow.start('waits', { taskQueue: 'nobody', workflowId: 'kept' });
    await temporal.kill();
    await temporal.restart();
    expect((await started.describe()).status.name).toBe('RUNNING');
    const { stdout } = await promisify(execFile)(server, [
      ...['operator', 'search-attribute', 'list', '--address', temporal.address],
    ]);
    for (const name of ['HomewardPhase', 'HomewardMachine', 'HomewardPlan', 'HomewardSite', 'HomewardNeedsHuman'])
      expect(stdout).toContain(name);
    expect((await fetch(temporal.ui)).ok).toBe(true);
    await connection.close();
  } finally {
    await temporal.stop();
  }
}, 60_000);
