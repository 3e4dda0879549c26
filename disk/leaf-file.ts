/**
 * The digests of all leaves of a disk, beside its journal: 32 bytes for each 64 KiB, half a MiB for each GiB of data.
 * Rule: never believed. Whoever reads digests from here compares them with the block's own digest, which the journal keeps; so
 * a lost, stale or unreadable file costs reading, and sending what was half written, by whole blocks, but never a wrong byte
 * (S3) and never a copy. It is made durable with each round, so that a power failure does not cost that (L2).
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { digestBytes } from './digest.ts';
import { errorCode } from './failure.ts';
import { blockBytes } from './geometry.ts';
import { watched } from './io-watch.ts';
import { leafBytes } from './leaves.ts';

const bytesABlock = (blockBytes / leafBytes) * digestBytes;

export class LeafFile {
  private readonly path: string;
  private readonly note: (text: string) => void;
  private handle: Promise<FileHandle> | undefined;
  private told = false;

  /** `note` hears once that the file cannot be used. */
  constructor(path: string, note: (text: string) => void) {
    this.path = path;
    this.note = note;
  }

  /** Undefined, and told once, when the file cannot be used: it only saves reading. */
  private async using<T>(act: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    try {
      return await watched('leaves', async () => {
        this.handle ??= open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
        return act(await this.handle);
      });
    } catch (error) {
      if (!this.told)
        this.note(`${this.path} cannot be used (${errorCode(error)}): changes are looked at by whole blocks`);
      this.told = true;
      return undefined;
    }
  }

  /** What was written last for the first `length` bytes of the block's digests; undefined when that much is not there. */
  async read(block: number, length: number): Promise<Buffer | undefined> {
    return this.using(async (file) => {
      const into = Buffer.alloc(length);
      const { bytesRead } = await file.read(into, 0, length, block * bytesABlock);
      return bytesRead === length ? into : undefined;
    });
  }

  /** The digests of all leaves of the block. */
  async write(block: number, digests: Uint8Array): Promise<void> {
    await this.using((file) => file.write(digests, 0, digests.byteLength, block * bytesABlock));
  }

  /** What was written before is durable when this returns. */
  async flush(): Promise<void> {
    if (this.handle !== undefined) await this.using((file) => file.datasync());
  }

  async close(): Promise<void> {
    const opened = await this.handle?.catch(() => undefined);
    if (opened !== undefined) await watched('leaves', () => opened.close());
  }
}
