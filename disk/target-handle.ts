/**
 * The target as a file or device: positional reads and writes past the page cache, flushes, and fresh handles for
 * proofs. Rule: every transfer checks the count it was told, because the system may do less than asked. S8: not one write
 * leaves without the caller's leave.
 * Never answers a proof from the page cache without saying so: `direct` tells whether O_DIRECT is in use.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { refused } from '../model/failure.ts';
import { errorCode, hostCall } from './failure.ts';
import { holePunch } from './holes.ts';
import { openDirect } from './open-direct.ts';

export interface TargetOpening {
  readonly path: string;
  readonly sizeBytes: number;
  readonly subject: string;
  /** False: do not try O_DIRECT. */
  readonly direct: boolean;
  /** A page-aligned buffer of at least 4096 bytes, for the probe of the alignment. */
  readonly sector: Buffer;
  /** Awaited right before each write; what it rejects with ends the write. */
  assure(): Promise<void>;
}

/** Linux's dev_t: 12 + 20 bits of major and 8 + 24 bits of minor number, interleaved (sysmacros.h). */
function deviceName({ rdev }: Stats): string {
  const major = (Math.floor(rdev / 0x100) % 0x1000) + Math.floor(rdev / 2 ** 44) * 0x1000;
  const minor = (rdev % 0x100) + (Math.floor(rdev / 0x100000) % 0x1000000) * 0x100;
  return `${major}:${minor}`;
}

/** The size of a regular file or of a block device; Linux counts devices in 512-byte sectors whatever theirs are. */
export async function observedSize(path: string, subject: string): Promise<{ sizeBytes: number; device: boolean }> {
  return hostCall('target.stat', subject, async () => {
    const facts = await stat(path);
    if (facts.isFile()) return { sizeBytes: facts.size, device: false };
    if (facts.isBlockDevice()) {
      const sectors = await readFile(`/sys/dev/block/${deviceName(facts)}/size`, 'utf8');
      return { sizeBytes: Number(sectors) * 512, device: true };
    }
    const hint = 'The target must be a block device or a flat disk file.';
    throw refused({ op: 'target.stat', subject, hint, message: `${path} is neither` });
  });
}

/** 512 where a single sector can be read directly, else 4096 (4Kn devices, some file systems). */
async function probeAlignment(handle: FileHandle, sector: Buffer): Promise<number> {
  try {
    await handle.read(sector, 0, 512, 0);
    return 512;
  } catch (error) {
    if (errorCode(error) === 'EINVAL') return 4096;
    throw error;
  }
}

async function readFully(handle: FileHandle, into: Buffer, offset: number, length: number): Promise<boolean> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(into, done, into.byteLength - done, offset + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** Reads blocks through a handle opened after the last flush. */
export interface FreshReader {
  /** `into` is aligned; up to a page behind `length` may be overwritten in it. */
  read(offset: number, length: number, into: Buffer): Promise<void>;
}

export class TargetHandle {
  /** True: O_DIRECT. False: the file system refuses it, and a read-back proves no more than the kernel's word. */
  readonly direct: boolean;
  /** The smallest direct transfer: 512 or 4096. */
  readonly alignment: number;
  private readonly opening: TargetOpening;
  private readonly main: FileHandle;
  /** For edges that are not aligned; opened when the first one comes. */
  private edge: Promise<FileHandle> | undefined;
  private canPunch = true;

  private constructor(opening: TargetOpening, main: FileHandle, direct: boolean, alignment: number) {
    this.opening = opening;
    this.main = main;
    this.direct = direct;
    this.alignment = alignment;
  }

  /** Throws `Refused` when the size differs by a byte or the device is in use by the mover itself. */
  static async open(opening: TargetOpening): Promise<TargetHandle> {
    const { path, subject } = opening;
    const { sizeBytes, device } = await observedSize(path, subject);
    if (sizeBytes !== opening.sizeBytes) {
      throw refused({
        op: 'target.open',
        subject,
        message: `${path} has ${sizeBytes} bytes, the source disk has ${opening.sizeBytes}`,
        hint: 'The target must have exactly the size of the source; see whether the right disk is plugged in.',
      });
    }
    // O_EXCL on a device fails while it is mounted or part of a volume, and keeps others from claiming it.
    const flags = constants.O_RDWR | (device ? constants.O_EXCL : 0);
    const opened = async (): Promise<TargetHandle> => {
      const handle = opening.direct ? await openDirect(path, flags) : undefined;
      if (handle === undefined) return new TargetHandle(opening, await open(path, flags), false, 512);
      try {
        return new TargetHandle(opening, handle, true, await probeAlignment(handle, opening.sector));
      } catch (error) {
        await handle.close();
        throw error;
      }
    };
    return hostCall('target.open', subject, opened);
  }

  private call<T>(op: string, act: () => Promise<T>): Promise<T> {
    return hostCall(op, this.opening.subject, act, this.opening.path);
  }

  /**
   * Whether not one byte of a file is allocated, so that all of it reads as zeros: the file system's own account, which a
   * read of a hole would get too. A device cannot tell.
   */
  async isBlank(): Promise<boolean> {
    return this.call('target.stat', async () => {
      // What others wrote and the kernel still holds back must be counted.
      await this.main.sync();
      const facts = await this.main.stat();
      return facts.isFile() && facts.blocks === 0;
    });
  }

  private aligned(offset: number, length: number): boolean {
    return !this.direct || (offset % this.alignment === 0 && length % this.alignment === 0);
  }

  /** `bytes` is aligned like `offset`; returns when the kernel took all of it, not when it is durable. */
  async write(offset: number, bytes: Buffer): Promise<void> {
    await this.opening.assure();
    await this.call('target.write', async () => {
      const handle = this.aligned(offset, bytes.byteLength) ? this.main : await this.edgeHandle();
      let done = 0;
      while (done < bytes.byteLength) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, offset + done);
        if (bytesWritten === 0) throw new Error(`nothing was written at ${offset + done}`);
        done += bytesWritten;
      }
    });
  }

  /** Makes whole pages read as zeros: by a hole, so that a thin target stays thin, or by writing `zeros` where it can have none. */
  async clear(offset: number, zeros: Buffer): Promise<void> {
    const punch = this.canPunch ? await holePunch() : undefined;
    if (punch !== undefined) {
      await this.opening.assure();
      if (await this.call('target.punch', () => punch(this.main.fd, offset, zeros.byteLength))) return;
      this.canPunch = false;
    }
    await this.write(offset, zeros);
  }

  private edgeHandle(): Promise<FileHandle> {
    this.edge ??= open(this.opening.path, constants.O_RDWR);
    return this.edge;
  }

  /** Reads through the handle that writes; enough to look, not enough to prove. */
  async read(offset: number, length: number, into: Buffer): Promise<void> {
    await this.call('target.read', () => this.readWith(this.main, offset, length, into));
  }

  /** Aligned offsets only; an unaligned length is rounded up and the file's end ends it. */
  private async readWith(handle: FileHandle, offset: number, length: number, into: Buffer): Promise<void> {
    const room = this.direct ? Math.ceil(length / this.alignment) * this.alignment : length;
    if (await readFully(handle, into.subarray(0, room), offset, length)) return;
    throw new Error(`the target ended before ${offset + length}`);
  }

  /** What was written before is durable when this returns. */
  async flush(): Promise<void> {
    await this.call('target.flush', async () => {
      if (this.edge !== undefined) await (await this.edge).datasync();
      await this.main.datasync();
    });
  }

  /** S3: opens a handle of its own for a read-back, so that nothing remembered by the writing one can answer. */
  async withFresh<T>(work: (reader: FreshReader) => Promise<T>): Promise<T> {
    const { path } = this.opening;
    const flags = constants.O_RDONLY | (this.direct ? constants.O_DIRECT : 0);
    const handle = await this.call('target.reopen', () => open(path, flags));
    const reader: FreshReader = {
      read: (offset, length, into) => this.call('target.readback', () => this.readWith(handle, offset, length, into)),
    };
    try {
      return await work(reader);
    } finally {
      // A close may hang as any other call may (NFS writes back what it still holds).
      await this.call('target.close', () => handle.close());
    }
  }

  async close(): Promise<void> {
    await this.call('target.close', async () => {
      // One that could not be opened was told where it was needed.
      const edge = await this.edge?.catch(() => undefined);
      await edge?.close();
      await this.main.close();
    });
  }
}
