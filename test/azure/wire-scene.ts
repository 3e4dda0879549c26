/**
 * Disks of the lab's Azure, each with two recovery points, and targets to bring them home to while the wire fails.
 * Rule: each disk is its own: faults are set for its snapshots only, so that many runs go on side by side. What is
 * expected comes from the simulated disk itself, never over the wire.
 */
import { inspect } from 'node:util';
import type { PointReader } from '../../disk/point-reader.ts';
import { observeDisk } from '../../disk/target-disk.ts';
import { Failure } from '../../model/failure.ts';
import type { DiskPoint } from '../../model/machine.ts';
import { parseId } from '../../sites/azure/arm-id.ts';
import { fastFolder, firstDifference, patternBytes, Workbench } from '../disk/workbench.ts';
import { type AzureLab, group, mib, openAzureLab, quiet } from './azure-lab.ts';

/** Odd ones: no multiple of 4 MiB, of 1 MiB or of 4096; the third has hardly a byte between its withheld ends. */
const sizes = [5 * mib + 512, 3 * mib + 512, 2 * mib + 512, 4 * mib + 1536];

/** So that a stalled connection is given up soon; a busy machine may meet them too, which is one more fault. */
const brisk = { stallMs: 1_000, requestMs: 1_500, repeatMs: 5 };
/** Longer than any fault of the wire here lasts: what still fails with these has another reason. */
export const wireStallMs = 2_500;

export type Mode = 'full' | 'delta';

export interface WireDisk {
  readonly disk: string;
  readonly base: DiskPoint;
  readonly point: DiskPoint;
  readonly images: Readonly<Record<'base' | 'point', Buffer>>;
  /** A target that is at the base. */
  readonly atBase: Workbench;
}

export interface WireScene {
  readonly lab: AzureLab;
  readonly disks: readonly WireDisk[];
  /** The one whose patience the faults outlast, and the one with the product's own. */
  readonly open: Readonly<Record<'brisk' | 'patient', OpenPoints>>;
  close(): Promise<void>;
}

/** What the guest wrote: spots with gaps, so that each is a request of its own, and the very ends. */
async function writeFirst(lab: AzureLab, name: string, sizeBytes: number, seed: number): Promise<void> {
  const write = async (at: number, length: number): Promise<void> => {
    const bytes = Buffer.alloc(length);
    patternBytes(seed, at, bytes);
    await lab.write(name, at, bytes);
  };
  await write(0, 4096);
  for (let at = mib; at + mib < sizeBytes; at += 208 * 1024) await write(at, Math.min(65_536, sizeBytes - mib - at));
  await write(sizeBytes - 2048, 2048);
}

/** Changes of every kind: inside, over and beside what was there, written and cleared by turns. */
async function writeThen(lab: AzureLab, name: string, sizeBytes: number, seed: number): Promise<void> {
  for (let turn = 0; mib + turn * 176 * 1024 < sizeBytes - mib; turn++) {
    const at = mib + turn * 176 * 1024;
    const bytes = Buffer.alloc(Math.min(512 + 16_384 * (turn % 4), sizeBytes - mib - at));
    patternBytes(seed + turn, at, bytes);
    if (turn % 3 === 2) await lab.discard(name, at, bytes.byteLength);
    else await lab.write(name, at, bytes);
    if (turn % 4 === 0) await lab.discard(name, at + bytes.byteLength, 8192);
  }
  await lab.write(name, sizeBytes - 512, Buffer.alloc(512, seed));
}

export async function openWireScene(count: number): Promise<WireScene> {
  const ofDisks = Array.from({ length: count }, (_, index) => sizes[index % sizes.length] ?? mib);
  const lab = await openAzureLab({ lroMs: 1 }, 'right', {}, ofDisks);
  const names = ofDisks.map((_, index) => `erp-db-data-${index + 1}`);
  const keys = names.map((_, index) => `data-${index + 1}`);
  const imageOf = (name: string, index: number): Promise<Buffer> =>
    lab.world.disk(group, name).data.read(0, ofDisks[index] ?? 0);
  for (const [index, name] of names.entries()) await writeFirst(lab, name, ofDisks[index] ?? 0, index + 1);
  const request = await lab.pointRequest();
  const bases = await lab.source.ensureRecoveryPoint(request, quiet());
  const before = await Promise.all(names.map(imageOf));
  for (const [index, name] of names.entries()) await writeThen(lab, name, ofDisks[index] ?? 0, 100 * (index + 1));
  const points = await lab.source.ensureRecoveryPoint({ ...request, number: 2 }, quiet());
  const after = await Promise.all(names.map(imageOf));
  const patient = lab.reader({ limits: { repeatMs: 5 }, entriesAPiece: 5 });
  const open = {
    brisk: new OpenPoints(lab.reader({ limits: brisk, entriesAPiece: 5 })),
    patient: new OpenPoints(patient),
  };
  const disks: WireDisk[] = [];
  for (const [index, disk] of keys.entries()) {
    const [base, point] = [bases, points].map(({ disks: all }) => all.find((one) => one.disk === disk));
    const images = { base: before[index], point: after[index] };
    if (!base || !point || !images.base || !images.point) throw new Error(`no ${disk} in the points`);
    const atBase = new Workbench(base.sizeBytes, fastFolder());
    const source = await patient.openPoint({ disk, point: base }, quiet());
    await atBase.transfer(source, 'base');
    await source.close();
    disks.push({ disk, base, point, images: { base: images.base, point: images.point }, atBase });
  }
  return {
    ...{ lab, disks, open },
    async close() {
      for (const { atBase } of disks) atBase.remove();
      await Promise.all([open.brisk.close(), open.patient.close()]);
      await lab.close();
    },
  };
}

/** A fresh target as the mode begins with it: of holes, or at the base. */
export const targetOf = (disk: WireDisk, mode: Mode): Workbench =>
  mode === 'full' ? new Workbench(disk.point.sizeBytes, fastFolder()) : disk.atBase.copy();

/** Names of its snapshots, as faults are set for them. */
export const snapshotOf = (disk: WireDisk): string => parseId(disk.point.id).name;

/** Points that stay open from one run to the next while nothing goes wrong: opening is the dear part of a small disk. */
export class OpenPoints {
  private readonly reader: ReturnType<AzureLab['reader']>;
  private readonly known = new Map<string, PointReader>();

  constructor(reader: ReturnType<AzureLab['reader']>) {
    this.reader = reader;
  }

  /** Brings the disk to its point and seals it, as one attempt does. Answers how it failed, or undefined. */
  async attempt({ disk, base, point }: WireDisk, mode: Mode, bench: Workbench): Promise<Failure | undefined> {
    const key = `${disk} ${mode}`;
    try {
      const source =
        this.known.get(key) ??
        (await this.reader.openPoint({ disk, point, ...(mode === 'delta' ? { base } : {}) }, quiet()));
      this.known.set(key, source);
      await bench.transfer(source, 'point', mode === 'delta' ? { base: 'base' } : {});
      await bench.seal(source, 'point');
    } catch (error) {
      await this.close(key);
      if (!(error instanceof Failure)) throw error;
      return withoutSecrets(error);
    }
    return undefined;
  }

  /** Gives back one, or all. */
  async close(key?: string): Promise<void> {
    for (const [name, source] of this.known) {
      if (key !== undefined && name !== key) continue;
      this.known.delete(name);
      await source.close();
    }
  }
}

/** S13: no grant and no token in what was thrown, however deep. */
function withoutSecrets(failure: Failure): Failure {
  const everything = inspect(failure, { depth: 20, showHidden: true, maxStringLength: null });
  for (const secret of [/sig=(?!…)/, /[?&]si=/, /eyJ[\w-]{10}/, /Bearer (?!…)\S/])
    if (secret.test(everything)) throw new Error(`a secret is visible in the failure (${secret})`);
  return failure;
}

/** S3: whatever calls itself sealed is the point, byte for byte. Answers whether it is. */
export async function sealedRight({ images }: WireDisk, bench: Workbench): Promise<boolean> {
  const { state } = await observeDisk(bench.options());
  if (state === 'sealed' && firstDifference(bench.content(), images.point) >= 0)
    throw new Error('the disk is sealed and is not the point');
  return state === 'sealed';
}
