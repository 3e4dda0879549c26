/**
 * The lab's hand on the bytes of a disk: the test oracle, and writing as a guest would.
 * Rule: what is read here comes from the disk itself, never through the blob endpoint that is under test. Nothing is
 * remembered but the digest of a live disk, for as long as nothing has changed on it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TrackedDisk } from './tracked-disk.ts';
import type { World } from './world.ts';

const pieceBytes = 4 * 1024 * 1024;
const change = z.strictObject({ offset: z.int().min(0), length: z.int().min(1) });
const write = change.extend({ fill: z.int().min(0).max(255) });
const resize = z.strictObject({ sizeBytes: z.int().multipleOf(512) });

/** An answer that is not JSON but the bytes themselves. */
export interface Bytes {
  readonly bytes: AsyncIterable<Buffer>;
}

function findDisk(world: World, name: string) {
  const found = [...world.disks.values()].find((one) => one.name === name);
  if (!found) throw new Error(`no disk is called ${name}`);
  return found;
}

/** A snapshot or a disk restore point, by its name. */
function findMoment(world: World, moment: string | null) {
  const snapshot = [...world.snapshots.values()].find((one) => one.name === moment);
  if (snapshot) return snapshot;
  const point = [...world.restorePoints.disks()].find((one) => one.name === moment);
  return point && { uniqueId: point.uniqueId, source: point.disk };
}

/** The content [0, size) of a live disk or of an earlier moment of it, whose disk need not exist any more. */
async function* contentOf(world: World, name: string, moment: string | null): AsyncIterable<Buffer> {
  const snapshot = findMoment(world, moment);
  if (moment !== null && snapshot?.source.name !== name)
    throw new Error(`no snapshot and no disk restore point of ${name} is called ${moment}`);
  const { data } = snapshot?.source ?? findDisk(world, name);
  const sizeBytes = snapshot ? data.snapshotSize(snapshot.uniqueId) : data.sizeBytes;
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    const length = Math.min(pieceBytes, sizeBytes - at);
    yield snapshot ? await data.readSnapshot(snapshot.uniqueId, at, length) : await data.read(at, length);
  }
}

async function sha256(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

const digests = new WeakMap<TrackedDisk, { readonly at: number; readonly sha256: string }>();

/** The digest of a live disk; while its machine is stopped the witness asks for it after many an effect. */
async function liveSha256(world: World, name: string): Promise<string> {
  const { data } = findDisk(world, name);
  const known = digests.get(data);
  if (known?.at === data.changes) return known.sha256;
  const at = data.changes;
  const found = { at, sha256: await sha256(contentOf(world, name, null)) };
  if (at === data.changes) digests.set(data, found);
  return found.sha256;
}

/** `verb`: method and last word of the path. Answers undefined when there is no such door. */
export async function diskDoor(
  world: World,
  verb: string,
  name: string,
  snapshot: string | null,
  body: unknown,
): Promise<object | Bytes | undefined> {
  switch (verb) {
    case 'GET content-sha256':
      return {
        sha256: await (snapshot === null ? liveSha256(world, name) : sha256(contentOf(world, name, snapshot))),
      };
    case 'GET raw':
      return { bytes: contentOf(world, name, snapshot) };
    case 'POST resize':
      await findDisk(world, name).data.resize(resize.parse(body).sizeBytes);
      return {};
    case 'POST write': {
      const { offset, length, fill } = write.parse(body);
      await findDisk(world, name).data.write(offset, Buffer.alloc(length, fill));
      return {};
    }
    case 'POST discard': {
      const { offset, length } = change.parse(body);
      await findDisk(world, name).data.discard(offset, length);
      return {};
    }
    default:
      return undefined;
  }
}
