/**
 * A managed disk: a sparse file, snapshots by copy-on-write, and write tracking kept apart from the data.
 * Rule: a diff comes from the tracking and never from looking at content, as Azure's does; a rewrite of equal bytes is a
 * change. A read of a snapshot is right even while the guest writes: where its bytes lie is looked up again afterwards.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readFully, writeFully } from '../guest/file-io.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { type Change, follow, Intervals, noChange, type Range } from './intervals.ts';

const chunkBytes = 65_536;
const pageBytes = 512;
const readAheadBytes = 4 * 1024 * 1024;

interface Image {
  readonly id: string;
  readonly sizeBytes: number;
  readonly cow: FileHandle;
  /** Chunks whose bytes at this moment lie in `cow`. */
  readonly chunks: Set<number>;
  /** What happened from this moment to the next image (or to now). */
  readonly since: Change;
  /** What may hold data at this moment. */
  readonly mapped: Intervals;
}

export class TrackedDisk implements GuestDisk {
  readonly name: string;
  /** The file with the live content. */
  readonly path: string;
  private size: number;
  private readonly file: FileHandle;
  private readonly folder: string;
  private readonly images: Image[] = [];
  private readonly mapped = new Intervals();
  private turn: Promise<unknown> = Promise.resolve();
  private touched = 0;

  private constructor(name: string, path: string, sizeBytes: number, file: FileHandle, folder: string) {
    this.name = name;
    this.path = path;
    this.size = sizeBytes;
    this.file = file;
    this.folder = folder;
  }

  /** Opens `path` as a disk of `sizeBytes`; what is not zero in it counts as written. */
  static async adopt(name: string, path: string, sizeBytes: number, folder: string): Promise<TrackedDisk> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT);
    await file.truncate(sizeBytes);
    const disk = new TrackedDisk(name, path, sizeBytes, file, folder);
    await disk.mapWhatIsThere();
    return disk;
  }

  /** A new disk, all zeros, nothing written. */
  static async create(name: string, path: string, sizeBytes: number, folder: string): Promise<TrackedDisk> {
    const file = await open(path, 'w+');
    await file.truncate(sizeBytes);
    return new TrackedDisk(name, path, sizeBytes, file, folder);
  }

  get sizeBytes(): number {
    return this.size;
  }

  /** Another number whenever a change of the live content has begun or ended: equal ones enclose a moment without any. */
  get changes(): number {
    return this.touched;
  }

  private async mapWhatIsThere(): Promise<void> {
    const zeros = Buffer.alloc(chunkBytes);
    for (let offset = 0; offset < this.size; offset += readAheadBytes) {
      const piece = await this.read(offset, Math.min(readAheadBytes, this.size - offset));
      if (piece.equals(Buffer.alloc(piece.length))) continue;
      for (let at = 0; at < piece.length; at += chunkBytes) {
        const part = piece.subarray(at, at + chunkBytes);
        if (!part.equals(zeros.subarray(0, part.length))) this.mapped.add(offset + at, offset + at + part.length);
      }
    }
  }

  /** One after the other: writes, snapshots and their deletion. */
  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = this.turn.then(act, act);
    this.turn = next.catch(() => undefined);
    return next;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const into = Buffer.allocUnsafe(length);
    await readOrZeros(this.file, into, offset);
    return into;
  }

  /** In turn, as a change of the live content. */
  private changing(act: () => Promise<void>): Promise<void> {
    return this.inTurn(async () => {
      this.touched++;
      await act().finally(() => this.touched++);
    });
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    return this.changing(async () => {
      await this.keepOld(offset, data.length);
      await writeFully(this.file, data, offset);
      const { from, to } = pagesAround(offset, data.length);
      this.note('written', from, to);
    });
  }

  /** Zeros by command. Only whole pages are cleared; a page of which a part is zeroed was written. */
  discard(offset: number, length: number): Promise<void> {
    return this.changing(async () => {
      await this.keepOld(offset, length);
      for (let at = offset; at < offset + length; at += readAheadBytes) {
        const piece = Math.min(readAheadBytes, offset + length - at);
        await writeFully(this.file, Buffer.alloc(piece), at);
      }
      const around = pagesAround(offset, length);
      const inside = pagesInside(offset, length);
      this.note('written', around.from, around.to);
      this.note('cleared', inside.from, inside.to);
    });
  }

  private note(what: keyof Change, from: number, to: number): void {
    if (to <= from) return;
    const since = this.images.at(-1)?.since;
    if (what === 'written') this.mapped.add(from, to);
    else this.mapped.remove(from, to);
    since?.[what === 'written' ? 'cleared' : 'written'].remove(from, to);
    since?.[what].add(from, to);
  }

  async flush(): Promise<void> {
    await this.turn;
  }

  /** Before live bytes change, the newest image gets them, chunk by chunk. */
  private async keepOld(offset: number, length: number): Promise<void> {
    const newest = this.images.at(-1);
    if (!newest) return;
    for (let chunk = Math.floor(offset / chunkBytes); chunk * chunkBytes < offset + length; chunk++) {
      const at = chunk * chunkBytes;
      if (newest.chunks.has(chunk) || at >= newest.sizeBytes) continue;
      const old = await this.read(at, Math.min(chunkBytes, newest.sizeBytes - at));
      await writeFully(newest.cow, old, at);
      newest.chunks.add(chunk);
    }
  }

  /** Takes a snapshot: this very moment, after the write in flight. */
  snapshot(id: string): Promise<void> {
    return this.inTurn(async () => {
      const cow = await open(join(this.folder, `${id}.cow`), 'w+');
      this.images.push({
        id,
        sizeBytes: this.size,
        cow,
        chunks: new Set(),
        since: noChange(),
        mapped: this.mapped.copy(),
      });
    });
  }

  /** Deletes a snapshot; what only it kept goes to the next older one, so that both neighbours stay true. */
  deleteSnapshot(id: string): Promise<void> {
    return this.inTurn(async () => {
      const index = this.images.findIndex((image) => image.id === id);
      const image = this.images[index];
      if (!image) return;
      const older = this.images[index - 1];
      if (older) {
        for (const chunk of image.chunks) {
          if (older.chunks.has(chunk) || chunk * chunkBytes >= older.sizeBytes) continue;
          const bytes = Buffer.alloc(Math.min(chunkBytes, older.sizeBytes - chunk * chunkBytes));
          await readOrZeros(image.cow, bytes, chunk * chunkBytes);
          await writeFully(older.cow, bytes, chunk * chunkBytes);
          older.chunks.add(chunk);
        }
        follow(older.since, image.since);
      }
      this.images.splice(index, 1);
      await image.cow.close();
      await unlink(join(this.folder, `${id}.cow`));
    });
  }

  /** The bytes of a snapshot. */
  async readSnapshot(id: string, offset: number, length: number): Promise<Buffer> {
    const into = Buffer.allocUnsafe(length);
    let at = offset;
    while (at < offset + length) {
      const end = this.runEnd(id, at, offset + length);
      const part = into.subarray(at - offset, end - offset);
      const place = this.placeOf(id, at);
      await readOrZeros(place, part, at);
      // The guest may have written here meanwhile: then the old bytes lie elsewhere now, and this part is read again.
      if (this.placeOf(id, at) === place && this.runEnd(id, at, end) === end) at = end;
    }
    return into;
  }

  private imagesFrom(id: string): Image[] {
    const index = this.images.findIndex((image) => image.id === id);
    if (index < 0) throw new Error(`disk ${this.name} has no snapshot ${id}`);
    return this.images.slice(index);
  }

  private placeOf(id: string, offset: number): FileHandle {
    const chunk = Math.floor(offset / chunkBytes);
    return this.imagesFrom(id).find((image) => image.chunks.has(chunk))?.cow ?? this.file;
  }

  /** How far the bytes from `offset` on lie in one and the same place. */
  private runEnd(id: string, offset: number, limit: number): number {
    const place = this.placeOf(id, offset);
    let end = (Math.floor(offset / chunkBytes) + 1) * chunkBytes;
    while (end < limit && this.placeOf(id, end) === place) end += chunkBytes;
    return Math.min(end, limit);
  }

  /** Everything that may hold data at the snapshot's moment, inside [from, to). */
  mappedRanges(id: string, from: number, to: number): Range[] {
    return this.imagesFrom(id)[0]?.mapped.within(from, to) ?? [];
  }

  /** Everything that may hold data now, inside [from, to). */
  mappedNow(from: number, to: number): Range[] {
    return this.mapped.within(from, to);
  }

  /** What was written and what was cleared between two snapshots of this disk. */
  changesBetween(older: string, newer: string): Change {
    const all = noChange();
    for (const image of this.imagesFrom(older)) {
      if (image.id === newer) return all;
      follow(all, image.since);
    }
    throw new Error(`${newer} is not newer than ${older}`);
  }

  isOlder(one: string, other: string): boolean {
    const at = (id: string): number => this.images.findIndex((image) => image.id === id);
    return at(one) >= 0 && at(one) < at(other);
  }

  snapshotSize(id: string): number {
    return this.imagesFrom(id)[0]?.sizeBytes ?? 0;
  }

  resize(sizeBytes: number): Promise<void> {
    return this.changing(async () => {
      await this.file.truncate(sizeBytes);
      this.size = sizeBytes;
    });
  }

  async close(): Promise<void> {
    await this.turn;
    await Promise.all([this.file, ...this.images.map((image) => image.cow)].map((handle) => handle.close()));
  }
}

const pagesAround = (offset: number, length: number): Range => ({
  from: Math.floor(offset / pageBytes) * pageBytes,
  to: Math.ceil((offset + length) / pageBytes) * pageBytes,
});
const pagesInside = (offset: number, length: number): Range => ({
  from: Math.ceil(offset / pageBytes) * pageBytes,
  to: Math.floor((offset + length) / pageBytes) * pageBytes,
});

/** Fills `into`; past the end of the file there are zeros. */
async function readOrZeros(file: FileHandle, into: Buffer, offset: number): Promise<void> {
  into.fill(0, await readFully(file, into, offset));
}
