/**
 * The digests of all leaves of a disk, beside its journal: 32 bytes for each 64 KiB, half a MiB for each GiB of data.
 * Rule: never believed. Whoever reads digests from here compares them with the block's own digest, which the journal keeps; so
 * nothing in here needs to be durable, and a lost or stale file costs a look at whole blocks, never a wrong byte (S3).
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { digestBytes } from './digest.ts';
import { hostCall } from './failure.ts';
import { blockBytes } from './geometry.ts';
import { leafBytes } from './leaves.ts';

const bytesABlock = (blockBytes / leafBytes) * digestBytes;

export class LeafFile {
  private readonly path: string;
  private readonly subject: string;
  private handle: Promise<FileHandle> | undefined;

  constructor(path: string, subject: string) {
    this.path = path;
    this.subject = subject;
  }

  private file(): Promise<FileHandle> {
    this.handle ??= open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return this.handle;
  }

  /** What was written last for the first `length` bytes of the block's digests; undefined when that much is not there. */
  async read(block: number, length: number): Promise<Buffer | undefined> {
    return hostCall('state.leaves', this.subject, async () => {
      const into = Buffer.alloc(length);
      const { bytesRead } = await (await this.file()).read(into, 0, length, block * bytesABlock);
      return bytesRead === length ? into : undefined;
    });
  }

  /** `at`: where among the block's digests these lie, in bytes. */
  async write(block: number, at: number, digests: Uint8Array): Promise<void> {
    await hostCall('state.leaves', this.subject, async () => {
      await (await this.file()).write(digests, 0, digests.byteLength, block * bytesABlock + at);
    });
  }

  async close(): Promise<void> {
    const opened = await this.handle?.catch(() => undefined);
    await opened?.close();
  }
}
