/**
 * Which target disk does each source disk come home to? By the inventory's own words where it says so, else in order:
 * the OS disk to the first slot, data disks by LUN to the slots after it.
 * Rule: a guess is never made silently; what cannot be paired is a refusing check with a remedy.
 */
import { bytes } from './amount.ts';
import { type Check, keptByItsRun } from './check.ts';
import type { DiskPair, SourceDisk, SourceMachine, TargetMachine, WriteWay } from './machine.ts';

export interface Pairing {
  readonly pairs: readonly DiskPair[];
  readonly checks: readonly Check[];
}

/** `wanted`: disk key to datastore path, from the inventory. Sizes must be equal when the originals are written in place. */
export function pairDisks(
  source: SourceMachine,
  target: TargetMachine,
  write: WriteWay,
  wanted?: Readonly<Record<string, string>>,
): Pairing {
  const pairs: DiskPair[] = [];
  const checks: Check[] = [];
  const refuse = (subject: string, seen: string, remedy: Remedy): void => {
    checks.push({ id: 'disk-pairing', verdict: 'refuse', subject, seen, ...remedy });
  };
  const named = wanted !== undefined;
  for (const key of Object.keys(wanted ?? {}))
    if (!source.disks.some((disk) => disk.disk === key))
      refuse(
        key,
        `the inventory names disk ${key}, but the source has no such disk`,
        changePlan(`Remove ${key} from the machine's disks.`),
      );
  for (const [index, disk] of source.disks.entries()) {
    const found = named ? target.disks.find((candidate) => candidate.file === wanted[disk.disk]) : target.disks[index];
    if (!found) {
      const file = wanted?.[disk.disk];
      refuse(disk.disk, missing(disk.name, target, file, named), remedyFor(named, file));
      continue;
    }
    pairs.push({ disk: disk.disk, source: disk, target: found });
  }
  if (!named && target.disks.length > source.disks.length)
    refuse(
      target.address.path,
      `the target has ${target.disks.length} disks, the source ${source.disks.length}`,
      changePlan(namePairs, 'Or remove the surplus disk from the target.'),
    );
  const shared = twice(pairs);
  checks.push(...shared);
  if (write === 'in-place' && shared.length === 0) checks.push(...pairs.flatMap(sizeCheck));
  if (checks.length === 0) checks.push(paired(pairs, source));
  return { pairs, checks };
}

/**
 * Whether the disks are still those the run began with: another disk under an old name would come home half (S9). `now`: as
 * the source and the pairing are seen now.
 */
export function sameDisks(
  begun: readonly DiskPair[],
  now: readonly SourceDisk[],
  paired: readonly DiskPair[],
  subject: string,
): Check[] {
  const id = 'disk-pairing-stays';
  const words = ({ disk, identity, sizeBytes }: SourceDisk, file: string | undefined): string =>
    `${disk} ${identity} of ${sizeBytes} bytes → ${file}`;
  const before = new Set(begun.map(({ source, target }) => words(source, target.file)));
  const fileOf = (disk: string): string | undefined => paired.find((pair) => pair.disk === disk)?.target.file;
  const changed = now.filter((disk) => !before.has(words(disk, fileOf(disk.disk)))).map(({ disk }) => disk);
  const gone = begun.filter(({ disk }) => !now.some((one) => one.disk === disk)).map(({ disk }) => disk);
  if (changed.length + gone.length === 0)
    return [{ id, verdict: 'pass', subject, seen: 'the disks are those the run began with' }];
  return [
    {
      id,
      verdict: 'refuse',
      subject,
      seen: [
        ...(changed.length > 0 ? [`not as the run began with: ${changed.join(', ')}`] : []),
        ...(gone.length > 0 ? [`gone: ${gone.join(', ')}`] : []),
      ].join('; '),
      remedy:
        'A disk was resized, replaced, added or removed since the start. Put it back as it was, or take the run back (the source goes on serving) and start a new one.',
    },
  ];
}

const missing = (name: string, target: TargetMachine, file: string | undefined, named: boolean): string =>
  named
    ? `the target has no disk ${file ?? `for ${name} in the inventory`} (it has ${target.disks.map((disk) => disk.file).join(', ') || 'none'})`
    : `no target disk is left for ${name}; the target has ${target.disks.length}`;

type Remedy = Pick<Check, 'remedy' | 'newRunOnly'>;

/** `or`: what a retry mends; it stands last, because what a run says of the retry follows it. */
const changePlan = (change: string, or?: string): Remedy =>
  or === undefined
    ? { remedy: `${change} ${keptByItsRun}`, newRunOnly: true }
    : { remedy: `${change} ${keptByItsRun} ${or}` };

const namePairs = 'Name the pairs in the inventory (machines.<name>.disks).';

function remedyFor(named: boolean, file: string | undefined): Remedy {
  if (!named) return changePlan(namePairs, 'Or add a disk of the same size to the target.');
  const attach = file === undefined ? undefined : `Or attach ${file} to the target.`;
  return changePlan("Write the target disk's datastore path under machines.<name>.disks.", attach);
}

function sizeCheck(pair: DiskPair): Check[] {
  if (pair.source.sizeBytes === pair.target.sizeBytes) return [];
  return [
    {
      id: 'disk-size',
      verdict: 'refuse',
      subject: pair.disk,
      // The exact numbers, because the difference may be one sector.
      seen: `${pair.source.name} has ${pair.source.sizeBytes} bytes, ${pair.target.file} has ${pair.target.sizeBytes} (${bytes(pair.source.sizeBytes)} and ${bytes(pair.target.sizeBytes)})`,
      ...changePlan(
        'Start with --write staged, which makes new disks.',
        `Or make ${pair.target.file} exactly ${pair.source.sizeBytes} bytes large.`,
      ),
    },
  ];
}

function twice(pairs: readonly DiskPair[]): Check[] {
  const seen = new Set<string>();
  return pairs.flatMap((pair) => {
    if (!seen.has(pair.target.file)) {
      seen.add(pair.target.file);
      return [];
    }
    return [
      {
        id: 'disk-pairing',
        verdict: 'refuse',
        subject: pair.disk,
        seen: `${pair.target.file} is named for two source disks`,
        ...changePlan("Give every source disk its own target disk in the machine's disks."),
      } satisfies Check,
    ];
  });
}

const paired = (pairs: readonly DiskPair[], source: SourceMachine): Check => ({
  id: 'disk-pairing',
  verdict: 'pass',
  subject: source.address.path,
  seen: pairs.map((pair) => `${pair.source.name} → ${pair.target.file}`).join(', '),
});
