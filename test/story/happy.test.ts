/**
 * A machine comes home while it keeps writing: both ways to write, both ways to sync, on the real Temporal server; and
 * also when something changes a byte of its target behind Homeward's back, in the target's own file.
 */
import { open, readdir } from 'node:fs/promises';
import { readVcenter } from '../../lab/vcenter-control.ts';
import { firstBroken } from '../../model/evidence.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { rereadInFull } from '../../model/scrub.ts';
import type { Status } from '../../model/status.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const MiB = 1 << 20;
const hour = 3_600;
const runMs = 240_000;
/** In the root file system, where the guest writes nothing: a round that wrote the block would itself mend it. */
const damagedAt = 21 * MiB + 5;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 6 : 3);
}, 120_000);
afterAll(() => scene?.close(), 60_000);

type Policy = FailbackInput['policy'];
type Way = [Policy['write'], Policy['sync']];
async function comesHome(...[write, sync]: Way): Promise<void> {
  const run = await scene.begin({ write, sync });
  const end = await run.comeHome();
  expect(await run.wrongAtEnd('committed')).toEqual([]);
  expect(end.seals.map((seal) => seal.disk).sort()).toEqual(['data-0', 'os']);
  expect(end.record.map((entry) => entry.key)).toEqual(
    expect.arrayContaining([
      'preflight',
      'source-stopped',
      'final/os',
      'seal/os',
      'target-started',
      'commit',
      'source-retired',
    ]),
  );
  expect(firstBroken(end.record)).toBeUndefined();
  expect(await readdir(scene.lab.moverState)).not.toContain(run.machine.name);
  const keys = end.record.map((entry) => entry.key);
  if (sync === 'before') expect(keys.indexOf('seeded')).toBeLessThan(keys.indexOf('source-stopped'));
  expect(keys.filter((key) => key === 'target-started')).toHaveLength(1);
  // R4: each forecast stands in the record with what became true; of a copy that took no time there may be none.
  for (const key of ['forecast/start', 'forecast/complete', 'forecast/outage']) expect(keys).toContain(key);
  expect(keys.indexOf('forecast/complete')).toBeLessThan(keys.indexOf('source-stopped'));
  const { outage } = end;
  const outageMs = Date.parse(outage?.endedAt ?? '') - Date.parse(outage?.startedAt ?? '');
  const { outageSeconds = 0 } = (factsOf(end, 'forecast/outage') ?? {}) as { outageSeconds?: number };
  expect(Math.abs(outageSeconds - outageMs / 1000)).toBeLessThan(2);
  expect(keys.indexOf('source-stopped')).toBeLessThan(keys.indexOf('final/os'));
  expect(keys.indexOf('commit')).toBeLessThan(keys.indexOf('source-retired'));
}

test.each<Way>([
  ['in-place', 'before'],
  ['staged', 'during'],
])(
  'S000-1 S000-26 S000-29 S001-15 S002-12 S1 S2 S3 S4 S11 a machine comes home %s with sync %s: first its disks at home become current while it is off there, and after the commit no record is lost and Azure is empty',
  comesHome,
  120_000,
);
thorough.each<Way>([
  ['in-place', 'during'],
  ['staged', 'before'],
])('S002-12 S1 S2 S3 S4 S11 so it does %s with sync %s', comesHome, 120_000);

/** Flips a bit in the middle of a target disk, by hand. */
async function damage(run: Run, disk: string): Promise<void> {
  const file = (await run.status()).disks.find((one) => one.disk === disk)?.target;
  const vms = await readVcenter(scene.lab.vcenter.control);
  const path = vms.flatMap(({ disks }) => disks).find((one) => one.file === file)?.path;
  const handle = await open(path ?? '', 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, damagedAt);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await handle.write(byte, 0, 1, damagedAt);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const scrubbedOnce = (run: Run) =>
  run.untilView('scrubbed', ({ rounds }) => rounds?.scrubs?.length === 2 && rounds.scrubs.every(rereadInFull));

const factsOf = (status: Status, key: string) => status.record.find((entry) => entry.key === key)?.facts;

thorough(
  'S2 S3 S9 a byte that changed on the target during the rounds is found before the cutover, copied again, and never sealed',
  async () => {
    const run = await scene.begin({ roundEvery: hour, scrubEvery: 1 });
    await scrubbedOnce(run);
    await damage(run, 'os');
    // Nobody waits an hour for the next round: the finding begins one, in which the damaged disk is copied whole.
    const cured = await run.untilView('cured', ({ rounds }) => {
      const report = rounds?.scrubs?.find(({ disk }) => disk === 'os');
      return report?.damages === 1 && rereadInFull(report) && rounds?.done === 2;
    });
    expect(cured.rounds?.scrubs?.find(({ disk }) => disk === 'data-0')).toMatchObject({ damages: 0 });
    const end = await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(factsOf(end, 'scrub/os/damage-1')).toEqual({
      found: expect.stringMatching(/^block 5 \[20971520, 25165824\) is no longer what was proven$/),
    });
    for (const disk of ['os', 'data-0']) expect(factsOf(end, `seal/${disk}`)).toMatchObject({ rereadInFull: true });
    expect(end.record.filter(({ key }) => key === 'operator-called')).toEqual([]);
    expect(firstBroken(end.record)).toBeUndefined();
  },
  runMs,
);

thorough(
  'S3 with the policy reread a byte that changed after the last scrub stops the seal; a person decides, and the disk is copied again',
  async () => {
    const run = await scene.begin({ roundEvery: hour, scrubEvery: hour, reread: true });
    await scrubbedOnce(run);
    await damage(run, 'os');
    await run.say('completeFailover');
    const { left, trouble } = await run.until('NeedsOperator');
    expect(left).toBe('Sealing');
    expect(trouble).toMatchObject({ kind: 'Corrupt', op: 'scrub' });
    await run.say('resolve', { action: 'retry' });
    await run.until('AwaitingCommit');
    await run.say('commit');
    const end = await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(factsOf(end, 'seal/os')).toMatchObject({ rereadInFull: true, copiedAgain: true });
    expect(factsOf(end, 'seal/data-0')).toMatchObject({ rereadInFull: true });
  },
  runMs,
);
