/**
 * The OS disk in earnest: real firmware and a real kernel say whether a disk boots, and the application on it says which
 * of its records came home. Rule: both answers are heard from the running computer. A start is what costs, so one
 * computer gets all disks that must not boot and behind them the one that must: its firmware tries them in that order.
 * A run of all tests shows it with two kills where there is KVM; HOMEWARD_BOOT=1 kills at ten moments, with or without, and
 * starts the controls.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMarker } from '../../disk/open-marker.ts';
import { type Acknowledged, discarded, type LogEvent, readAcknowledgements } from '../../lab/guest/acknowledgements.ts';
import { findBootParts } from '../../lab/guest/boot-parts.ts';
import { type BootLoader, bootableLinux } from '../../lab/guest/bootable-linux.ts';
import { copySparse, placeDataDisk, placeOsDisk } from '../../lab/guest/disk-images.ts';
import { openFileDisk } from '../../lab/guest/file-disk.ts';
import { partitionTypes, readGpt } from '../../lab/guest/gpt.ts';
import { noise, type Release } from '../../lab/guest/os-tree.ts';
import { verifyRecords } from '../../lab/guest/verify-records.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import { openScene, type Scene } from '../story/scene.ts';
import type { CopyOrder, Stage } from './copy-story.ts';
import { findQemu, mayUseKvm, type Qemu, type Start, saidAtBoot, saidToAcknowledge, start } from './qemu.ts';

const MiB = 1 << 20;
const osBytes = 48 * MiB;
const qemu = findQemu();
const parts = findBootParts();

/** Why nothing of this can be shown here; undefined: it can. */
function whyNot(): string | undefined {
  if ('missing' in qemu) return qemu.missing;
  if ('missing' in parts) return parts.missing;
  // Two minutes of an emulated processor: more than a run of all tests may spend on it.
  if (process.env.HOMEWARD_BOOT !== undefined || mayUseKvm()) return undefined;
  return 'There is no /dev/kvm to use, and an emulated start takes minutes: `npm run test:boot` makes it.';
}

const everyStart = /^(1|all)$/.test(process.env.HOMEWARD_BOOT ?? '');
/** A test of `npm run test:boot` only. */
const thorough = everyStart ? test : test.skip;
const why = whyNot();
if (why !== undefined) process.stderr.write(`\nSKIPPED, no disk was really booted: test/boot. ${why}\n\n`);

const found = (): Qemu => {
  if ('missing' in qemu) throw new Error(qemu.missing);
  return qemu;
};

const tell = (what: string, { booted, tookMs, refusedDisks }: Start): void => {
  const refused = refusedDisks > 0 ? `passed over ${refusedDisks} disk(s) and ` : '';
  const ending = booted ? 'booted' : 'found nothing to boot';
  process.stderr.write(`  ${what}: ${refused}${ending} in ${(tookMs / 1000).toFixed(1)} s\n`);
};

/** The newest record that was acknowledged and neither replaced nor discarded since. */
function newestStanding(events: readonly LogEvent[]): number {
  const slots = new Map<number, Acknowledged>();
  for (const event of events) if (event.kind === 'done') slots.set(event.at.slot, event.at);
  return Math.max(0, ...[...slots.values()].map(({ seq, sum }) => (sum === discarded ? 0 : seq)));
}

interface Moment {
  readonly stage: Stage;
  /** Which of the stage's writes, from 0 (the first) to 1 (the last). */
  readonly part: number;
}
const few: readonly Moment[] = [
  { stage: 'round', part: 0.5 },
  { stage: 'seal', part: 1 },
];
const many: readonly Moment[] = [
  ...[0.05, 0.3, 0.6, 1].map((part) => ({ stage: 'full', part }) as const),
  ...[0, 1].map((part) => ({ stage: 'round', part }) as const),
  ...[0, 0.4, 0.7, 1].map((part) => ({ stage: 'seal', part }) as const),
];
const moments = everyStart ? many : few;
const testMs = 1_800_000;

(why === undefined ? describe : describe.skip)('a disk under real firmware', () => {
  let folder: string;
  let loader: BootLoader;
  const at = (name: string): string => join(folder, name);
  const place = (release: Release): Promise<void> =>
    placeOsDisk({ tree: 'small', sizeBytes: osBytes, machine: 'erp-db', release, loader }, at(`${release}.raw`));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'homeward-boot-'));
    const built = await bootableLinux();
    if ('missing' in built) throw new Error(built.missing);
    loader = built;
    await Promise.all([place('current'), place('before-failover')]);
  }, testMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The current installation with other bytes in its log partition, as a running guest leaves it. */
  async function placeChanged(): Promise<CopyOrder['changes']> {
    await copySparse(at('current.raw'), at('changed.raw'));
    const disk = await openFileDisk(at('changed.raw'));
    const table = await readGpt(disk);
    const log =
      'reason' in table ? undefined : table.partitions.find((one) => one.type === partitionTypes.linuxReserved);
    if (log === undefined) throw new Error('the OS disk has no log partition');
    await disk.write(log.offset, noise('changed', log.sizeBytes));
    await disk.close();
    return [{ kind: 'data', offset: log.offset, length: log.sizeBytes }];
  }

  /** Copies the machine's disk over the older one in a process of its own; answers its writes, as stages. */
  async function copy(name: string, changes: CopyOrder['changes'], stop?: CopyOrder['stop']): Promise<Stage[]> {
    const target = at(`${name}.raw`);
    await copySparse(at('before-failover.raw'), target);
    const order: CopyOrder = {
      options: {
        path: target,
        sizeBytes: osBytes,
        stateDir: at(`${name}-state`),
        disk: 'os',
        machine: 'erp',
        run: 'r1',
      },
      ...{ first: at('current.raw'), changed: at('changed.raw'), changes, log: at(`${name}.log`) },
      ...(stop === undefined ? {} : { stop }),
    };
    const program = join(__dirname, 'copy-child.ts');
    const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect([code, signal]).toEqual(stop === undefined ? [0, null] : [null, 'SIGKILL']);
    const lines = readFileSync(order.log, 'utf8').trim().split('\n');
    return lines.map((line) => line.split(' ')[0] as Stage);
  }

  /** Copies of the disk over the older one, each killed at its moment and left open; and what one whole copy wrote. */
  async function leaveOpen(): Promise<string[]> {
    const changes = await placeChanged();
    const writes = await copy('sealed', changes);
    const names: string[] = [];
    for (const { stage, part } of moments) {
      const count = writes.filter((one) => one === stage).length;
      const write = 1 + Math.round(part * (count - 1));
      const name = `killed-in-${stage}-${write}-of-${count}`;
      await copy(name, changes, { stage, write });
      expect(decodeMarker(readFileSync(at(`${name}.raw`)).subarray(0, 512))).toBeDefined();
      names.push(name);
    }
    return names;
  }

  thorough(
    'the lab’s OS disk is a Linux that really boots, and its application finds the last record',
    async () => {
      await placeDataDisk(at('data.raw'), 32 * MiB, 'erp-db');
      const began = await start(found(), { os: [at('current.raw')], data: at('data.raw') });
      tell('the lab’s OS disk', began);
      expect(began.booted).toBe(true);
      const facts = { machine: 'erp-db', release: 'current', 'last-record': '500', damaged: '0' };
      expect(saidAtBoot(began)).toMatchObject(facts);
    },
    testMs,
  );

  thorough(
    'S4 the very target that does not boot while it is open boots its older installation before, and sealed the current one',
    async () => {
      await copy('control', await placeChanged());
      for (const [name, release] of [
        ['before-failover', 'before-failover'],
        ['control', 'current'],
      ] as const) {
        const outcome = await start(found(), { os: [at(`${name}.raw`)] });
        tell(name, outcome);
        expect(saidAtBoot(outcome).release).toBe(release);
      }
    },
    testMs,
  );

  test(
    'S4 S002-2 disks left open by a kill do not boot; the sealed copy of a whole failback does, and its application goes on from the last acknowledged record',
    async () => {
      const open = (await leaveOpen()).map((name) => at(`${name}.raw`));
      // The lab's own guest leaves the disks alone for a while after power on; that is when the copies are taken.
      const scene: Scene = await openScene(1, {
        linux: true,
        osSizeBytes: osBytes,
        bootMs: 20_000,
        recordsPerSecond: 100,
      });
      try {
        expect(scene.lab.linux).toEqual({ boots: true });
        const run = await scene.begin();
        await run.until('Syncing', 'AwaitingCutover');
        expect(await run.say('completeFailover')).toEqual({ accepted: true });
        const { azure, onPrem } = run.machine.acknowledgements;
        const poweredOn = async () =>
          (await readVcenter(scene.lab.vcenter.control)).find((vm) => vm.name === run.machine.target.vm);
        let target = await poweredOn();
        while (target?.power !== 'on') {
          await new Promise((resolve) => setTimeout(resolve, 100));
          target = await poweredOn();
        }
        const [os, data] = target.disks;
        await copySparse(os?.path ?? '', at('home-os.raw'));
        await copySparse(data?.path ?? '', at('home-data.raw'));
        expect(await readAcknowledgements(onPrem)).toEqual([]);

        const home = { os: [...open, at('home-os.raw')], data: at('home-data.raw'), keepsWrites: true };
        const outcome = await start(found(), home);
        tell(`${open.length} open disks and the sealed copy`, outcome);
        expect(outcome.refusedDisks).toBe(open.length);
        writeFileSync(at('home.log'), saidToAcknowledge(outcome));
        const disk = await openFileDisk(at('home-data.raw'), 'r');
        const report = await verifyRecords(disk, [azure, at('home.log')]).finally(() => disk.close());
        const newest = newestStanding(await readAcknowledgements(azure));
        const said = saidAtBoot(outcome);
        expect(said).toMatchObject({ machine: run.machine.name, release: 'current', damaged: '0' });
        expect(newest).toBeGreaterThan(500);
        expect(Number(said['last-record'])).toBeGreaterThanOrEqual(newest);
        expect(report).toMatchObject({ lost: [], boots: ['azure', 'on-prem'] });
        expect(report.newest).toBe(Number(said['last-record']) + 20);
      } finally {
        await scene.close();
      }
    },
    testMs,
  );
});
