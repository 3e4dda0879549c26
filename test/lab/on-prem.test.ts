/**
 * The on-prem side of the lab for real: the vCenter simulator, its guests, and the witness listening to it.
 * Rule: the Azure side is a view written by hand here; everything else is what a lab runs.
 * Never leaves a process behind: the simulator hangs on this process's pipe.
 */
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../lab/certificates.ts';
import { openFileDisk } from '../../lab/guest/file-disk.ts';
import { headSectors, sectorBytes } from '../../lab/guest/gpt.ts';
import { type OnPremGuests, runOnPremGuests } from '../../lab/guest/on-prem-guests.ts';
import { verifyRecords } from '../../lab/guest/verify-records.ts';
import { checkFileSystem } from '../../lab/inspect.ts';
import { planMachines, watched } from '../../lab/machines.ts';
import { findPrograms } from '../../lab/programs.ts';
import { placeStaleDisks, startVcenter, type Vcenter } from '../../lab/vcenter.ts';
import { readVcenter, setVcenterPower } from '../../lab/vcenter-control.ts';
import { startWitness, type Witness } from '../../lab/witness/witness.ts';
import { realEvidence } from '../../lab/worlds.ts';

const MiB = 1 << 20;
let folder: string;
let vcenter: Vcenter;
let guests: OnPremGuests;
let witness: Witness;
const [machine] = planMachines({ count: 1, folder: '', tree: 'small', osSizeBytes: 48 * MiB, dataSizeBytes: 32 * MiB });
if (machine === undefined) throw new Error('no machine was planned');
const acknowledgements = (): string => join(folder, 'acks');

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never seen: ${what}`);
}

const target = async () => {
  const found = (await readVcenter(vcenter.control)).find((vm) => vm.name === machine.target.vm);
  if (found === undefined) throw new Error('the target is gone');
  return found;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-on-prem-'));
  const datastoreFolder = join(folder, 'datastore');
  await mkdir(datastoreFolder);
  const machines = [{ name: machine.name, osSizeBytes: 48 * MiB, dataSizeBytes: 32 * MiB, tree: 'small' as const }];
  await placeStaleDisks(datastoreFolder, machines);
  const vm = watched(machine).source;
  const azure = {
    vms: [{ name: vm.vm, power: 'running' as const, disks: vm.disks }],
    ...{ disks: vm.disks, nics: vm.nics, snapshots: [], grants: [] },
  };
  const controls = { azure: '', vcenter: '' };
  witness = await startWitness({
    machines: [watched(machine)],
    look: async () => ({ azure, vsphere: { vms: await readVcenter(controls.vcenter) } }),
    evidence: realEvidence(controls),
  });
  const certificates = await makeCertificates(folder);
  const { vcenter: program } = await findPrograms();
  vcenter = await startVcenter({ program, folder, datastoreFolder, certificates, machines, effectsUrl: witness.url });
  controls.vcenter = vcenter.control;
  await witness.begin();
  guests = runOnPremGuests({
    control: vcenter.control,
    machines: [{ name: machine.target.vm, acknowledgements: acknowledgements(), ip: machine.target.ip }],
    recordsPerSecond: 200,
  });
}, 240_000);

afterAll(async () => {
  await guests.stop();
  await vcenter.child.stop();
  await witness.close();
  await rm(folder, { recursive: true, force: true });
});

test('the original lies there powered off, with stale disks that would boot and a clean file system', async () => {
  const vm = await target();
  expect(vm).toMatchObject({ power: 'off', disks: [{ sizeBytes: 48 * MiB }, { sizeBytes: 32 * MiB }] });
  expect(await checkFileSystem(vm.disks[0]?.path ?? '')).toMatchObject({ ran: true, clean: true });
});

test('a machine that is powered on boots, answers through its tools, and writes until it is powered off', async () => {
  await setVcenterPower(vcenter.control, machine.target.vm, 'on');
  const running = await until('tools', async () => {
    const vm = await target();
    return vm.tools === 'guestToolsRunning' && vm;
  });
  expect(running.ip).toBe(machine.target.ip);
  await until('records', async () => (guests.state(machine.target.vm)?.written ?? 0) > 20);
  await setVcenterPower(vcenter.control, machine.target.vm, 'off');
  await until('the guest’s end', async () => guests.state(machine.target.vm) === undefined);
  const disk = await openFileDisk((await target()).disks[1]?.path ?? '', 'r');
  expect(await verifyRecords(disk, acknowledgements())).toMatchObject({ lost: [], boots: ['on-prem'] });
  await disk.close();
});

test('the witness heard of it, and saw that the source was running all the while (S1)', () => {
  expect(witness.effects().map((each) => each.op)).toEqual(expect.arrayContaining(['powerOn', 'powerOff']));
  expect(witness.violations().map((each) => each.invariant)).toEqual(expect.arrayContaining(['S1']));
});

test('a machine whose boot sectors are withheld is on, and stays silent', async () => {
  const file = await open((await target()).disks[0]?.path ?? '', 'r+');
  await file.write(Buffer.alloc(headSectors * sectorBytes), 0, headSectors * sectorBytes, 0);
  await file.close();
  await setVcenterPower(vcenter.control, machine.target.vm, 'on');
  const state = await until('a try to boot', async () => guests.state(machine.target.vm));
  expect(state).toMatchObject({ booted: false, reason: expect.stringMatching(/sector 0/) });
  expect((await target()).tools).not.toBe('guestToolsRunning');
  await setVcenterPower(vcenter.control, machine.target.vm, 'off');
});
