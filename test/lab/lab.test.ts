/**
 * Whole labs: two at once, what they offer, what the witness hears of real calls, and what is left when they end.
 * Rule: nothing here knows how a part of the lab works inside; it looks from outside, as Homeward and people do.
 * Never looks for processes by name: only for those that carry this lab's own folder in their command line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, fetch as fetchWith } from 'undici';
import { parse } from 'yaml';
import { copySparse } from '../../lab/guest/disk-images.ts';
import {
  checkTargetBoots,
  checkTargetFileSystem,
  compareDisks,
  countRecords,
  remainsInAzure,
} from '../../lab/inspect.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { removeLeftovers } from '../../lab/lab-folder.ts';
import { reportGuest, setVcenterPower } from '../../lab/vcenter-control.ts';
import { inventory } from '../../model/inventory.ts';
import { danglingReferences } from '../../model/inventory-faults.ts';

let lab: Lab;
let other: Lab;

beforeAll(async () => {
  [lab, other] = await Promise.all([startLab({ recordsPerSecond: 200 }), startLab({ machines: 2 })]);
}, 240_000);
afterAll(() => Promise.all([lab.stop(), other.stop()]));

const machineOf = (one: Lab) => {
  const [machine] = one.machines;
  if (machine === undefined) throw new Error('a lab without machines');
  return machine;
};

/** Processes whose command line names a folder; undefined where the system does not tell. */
async function processesOf(folder: string): Promise<string[] | undefined> {
  const ids = await readdir('/proc').catch(() => undefined);
  if (ids === undefined) return undefined;
  const lines = await Promise.all(
    ids.filter((id) => /^\d+$/.test(id)).map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(folder));
}

/** Whether a process runs; one that has ended and whose parent has not heard of it yet does not. */
const runs = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (stat) => !/\) Z /.test(stat),
    () => false,
  );

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100)))
    if (await look()) return;
  throw new Error(`never seen: ${what}`);
}

/** A call to Azure Resource Manager, as any client would make it. */
async function callArm(one: Lab, method: 'POST' | 'GET', path: string): Promise<number> {
  const { azure } = one;
  const dispatcher = new Agent({ connect: { ca: await readFile(one.caFile, 'utf8') } });
  const form = new URLSearchParams({
    ...{ grant_type: 'client_credentials', scope: 'https://management.azure.com/.default', client_id: azure.clientId },
    client_secret: await readFile(azure.clientSecretFile, 'utf8'),
  });
  const login = `${azure.authority}/${azure.tenantId}/oauth2/v2.0/token`;
  const token = (await (await fetchWith(login, { method: 'POST', body: form, dispatcher })).json()) as {
    access_token: string;
  };
  const group = `${azure.arm}/subscriptions/${azure.subscriptionId}/resourceGroups/${azure.resourceGroup}`;
  const response = await fetchWith(`${group}/providers/${path}?api-version=2024-07-01`, {
    ...{ method, dispatcher, headers: { authorization: `Bearer ${token.access_token}` } },
  });
  await response.text();
  await dispatcher.close();
  return response.status;
}

test.each([
  ['azure', { operation: 'virtualMachines.dealocate', action: { status: 429 } }, 'virtualMachines.deallocate'],
  ['vcenter', { method: 'ReconfgVM_Task', fault: 'NoPermission' }, 'ReconfigVM_Task'],
] as const)(
  'a fault rule of %s that names nothing there is is refused with what was meant',
  async (world, rule, meant) => {
    const answer = await fetch(`${lab[world].control}/rules`, { method: 'POST', body: JSON.stringify(rule) });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: string };
    expect(error).toContain(`Did you mean "${meant}"? There are: `);
    expect(error.length).toBeGreaterThan(400);
    expect(await (await fetch(`${lab[world].control}/rules`)).json()).toEqual([]);
  },
);

test.each([
  [{ operation: 'disks.get', actoin: {} }, 'Unrecognized key: "actoin"'],
  [{ operation: 'disks.get', action: { staus: 500 } }, 'Unrecognized key: "staus"'],
  [{ operation: 'disks.get', action: { status: 200 } }, 'Too small'],
])('Azure’s fault door says in plain words what is wrong with %j', async (rule, words) => {
  const answer = await fetch(`${lab.azure.control}/rules`, { method: 'POST', body: JSON.stringify(rule) });
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toContain(words);
});

test('two labs at once have their own folder, ports and machines', () => {
  const addresses = (one: Lab) => [one.folder, one.temporal.address, one.azure.arm, one.vcenter.url, one.witness.url];
  expect(new Set([...addresses(lab), ...addresses(other)]).size).toBe(10);
  expect(other.machines.map((machine) => machine.name)).toEqual(['erp-db', 'erp-app']);
});

test('the inventory of a lab is valid, and its secrets are references', async () => {
  const text = await readFile(lab.config, 'utf8');
  const parsed = inventory.parse(parse(text));
  expect(danglingReferences(parsed)).toEqual([]);
  for (const secret of [lab.azure.clientSecretFile, lab.vcenter.passwordFile])
    expect(text).not.toContain((await readFile(secret, 'utf8')).trim());
});

test('the source runs and writes; the target is off, older, and would boot', async () => {
  const machine = machineOf(lab);
  expect(await remainsInAzure(lab, machine)).toContain('virtual machine erp-db (running)');
  expect((await compareDisks(lab, machine)).map((disk) => disk.equal)).toEqual([false, false]);
  expect(await checkTargetBoots(lab, machine)).toMatchObject({ bootable: true });
  await until('acknowledged records', async () => (await countRecords(lab, machine)).acknowledged > 20);
});

test('the witness hears of a machine stopped by Azure’s own API, whose last records the target lacks', async () => {
  const machine = machineOf(lab);
  const path = `Microsoft.Compute/virtualMachines/${machine.source.vm}/deallocate`;
  expect(await callArm(lab, 'POST', path)).toBe(202);
  await until('the effect', async () => lab.witness.effects().some((each) => each.op.includes('deallocate')));
  expect(lab.witness.violations()).toEqual([]);
  expect((await countRecords(lab, machine)).lost.length).toBeGreaterThan(0);
});

test('bytes brought home are found equal, whole and without a lost record, and the machine goes on from them', async () => {
  const machine = machineOf(lab);
  const [system, data] = await compareDisks(lab, machine);
  const flat = (file: string | undefined): string =>
    join(lab.vcenter.datastoreFolder, (file ?? '').replace(/^\[.*\] /, '').replace(/\.vmdk$/, '-flat.vmdk'));
  await copySparse(machine.disks[0].image, flat(system?.file));
  await copySparse(machine.disks[1].image, flat(data?.file));
  expect((await compareDisks(lab, machine)).map((disk) => disk.equal)).toEqual([true, true]);
  expect(await checkTargetFileSystem(lab, machine)).toMatchObject({ ran: true, clean: true });
  await setVcenterPower(lab.vcenter.control, machine.target.vm, 'on');
  await until('the guest', async () => (lab.onPremGuests.state(machine.target.vm)?.written ?? 0) > 20);
  expect(await countRecords(lab, machine)).toMatchObject({ lost: [], boots: ['azure', 'on-prem'] });
  expect(lab.witness.violations()).toEqual([]);
});

test('a guest cannot answer in a machine that is off', async () => {
  const guest = { vm: machineOf(other).target.vm, running: true, ip: '10.0.0.1' };
  await expect(reportGuest(other.vcenter.control, guest)).rejects.toThrow(/no guest can run/);
});

describe('An open lab', () => {
  const keys = ['temporal', 'azure', 'vcenter', 'faults', 'audit', 'config', 'machines'];
  const openLab = async (...by: readonly string[]) => {
    const entry = join(import.meta.dirname, '../../lab/open.ts');
    const child = spawn(process.execPath, [...by, entry, '--json', '--small', '--no-workers'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const facts = JSON.parse(line) as Record<string, unknown> & { config: string };
    return { child, facts, folder: dirname(facts.config) };
  };

  test('says in one line of JSON where everything is, and leaves nothing behind at SIGTERM', async () => {
    const { child, facts, folder } = await openLab();
    expect(Object.keys(facts)).toEqual(keys);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await until('no process', async () => ((await processesOf(folder)) ?? []).length === 0);
    await expect(access(folder)).rejects.toThrow(/ENOENT/);
  }, 30_000);

  test('leaves no process behind when it is killed, and the next lab removes its folder', async () => {
    const { child, folder } = await openLab();
    expect((await processesOf(folder))?.length ?? 3).toBeGreaterThanOrEqual(3);
    child.kill('SIGKILL');
    await until('no process', async () => ((await processesOf(folder)) ?? []).length === 0);
    await removeLeftovers();
    await expect(access(folder)).rejects.toThrow(/ENOENT/);
  }, 30_000);

  test('leaves nothing behind when the program that set it up and started it is killed, and a worker started so ends too', async () => {
    const run = join(import.meta.dirname, '../../setup/run.mjs');
    const { child, facts, folder } = await openLab(run);
    const { address } = facts.temporal as { address: string };
    const worker = spawn(process.execPath, [run, '--no-lab', 'workers/control.ts', '--config', facts.config], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TEMPORAL_ADDRESS: address, HOMEWARD_LOG: 'silent' },
    });
    const [line] = (await once(createInterface({ input: worker.stdout }), 'line')) as [string];
    const { pid } = JSON.parse(line) as { pid: number };
    expect(pid).not.toBe(worker.pid);
    worker.kill('SIGKILL');
    await until('no worker', async () => !(await runs(pid)));
    child.kill('SIGKILL');
    await until('no folder', async () =>
      access(folder).then(
        () => false,
        () => true,
      ),
    );
    await until('no process', async () => ((await processesOf(folder)) ?? []).length === 0);
  }, 40_000);
});
