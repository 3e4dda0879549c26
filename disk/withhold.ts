/**
 * Opens a disk and keeps it recognisable: the marker in sector 0, zeros in the rest of both withheld regions.
 * Rule: S4, on the medium and read back before the first data byte is written. S8, whoever finds a higher epoch in
 * the marker stops. L7, opening ends between two calls when it is stopped; withholding again, what a seal gave back, does not
 * (S4). Never writes anything between the two regions.
 */
import { corrupt, fenced } from '../model/failure.ts';
import { isAllZero } from './block-pool.ts';
import type { Geometry } from './geometry.ts';
import { decodeMarker, encodeMarker, type OpenMarker } from './open-marker.ts';
import type { TargetHandle } from './target-handle.ts';

export class Withholding {
  private readonly target: TargetHandle;
  private readonly geometry: Geometry;
  private readonly sector: Buffer;
  private readonly subject: string;

  constructor(target: TargetHandle, geometry: Geometry, sector: Buffer, subject: string) {
    this.target = target;
    this.geometry = geometry;
    this.sector = sector;
    this.subject = subject;
  }

  /** The unit the boot sector is switched by: one sector of the medium, which is written whole or not at all. */
  get bootBytes(): number {
    return Math.min(this.target.alignment, this.geometry.sizeBytes);
  }

  async readMarker(): Promise<OpenMarker | undefined> {
    await this.target.read(0, this.bootBytes, this.sector);
    return decodeMarker(this.sector);
  }

  /** Sector 0 alone; durable and read back when it returns. */
  async writeMarker(marker: OpenMarker, stop: AbortSignal): Promise<void> {
    stop.throwIfAborted();
    const boot = this.sector.subarray(0, this.bootBytes).fill(0);
    encodeMarker(marker).copy(boot);
    await this.target.write(0, boot);
    stop.throwIfAborted();
    await this.target.flush();
    stop.throwIfAborted();
    await this.target.withFresh(async (reader) => {
      await reader.read(0, this.bootBytes, this.sector);
      if (!this.holds(marker, this.sector)) throw this.lost('sector 0');
    });
  }

  private holds(marker: OpenMarker, sector: Buffer): boolean {
    const found = decodeMarker(sector);
    return found?.id === marker.id && found.epoch === marker.epoch;
  }

  /** The marker with the zeros behind it in one write, then the tail: no flush lies between, so that hardly a moment does. `space` holds a region and a page. */
  async open(marker: OpenMarker, space: Buffer, stop?: AbortSignal): Promise<void> {
    stop?.throwIfAborted();
    const { headEnd, tailStart, sizeBytes } = this.geometry;
    space.fill(0);
    encodeMarker(marker).copy(space);
    await this.target.write(0, space.subarray(0, headEnd));
    stop?.throwIfAborted();
    space.fill(0, 0, this.bootBytes);
    if (sizeBytes > tailStart) await this.target.write(tailStart, space.subarray(0, sizeBytes - tailStart));
    stop?.throwIfAborted();
    await this.target.flush();
    stop?.throwIfAborted();
    await this.target.withFresh(async (reader) => {
      await reader.read(0, headEnd, space);
      if (!this.holds(marker, space)) throw this.lost('sector 0');
      if (!isAllZero(space.subarray(this.bootBytes, headEnd))) throw this.lost('the head');
      if (sizeBytes === tailStart) return;
      stop?.throwIfAborted();
      const page = tailStart - (tailStart % this.target.alignment);
      await reader.read(page, sizeBytes - page, space);
      if (!isAllZero(space.subarray(tailStart - page, sizeBytes - page))) throw this.lost('the tail');
    });
  }

  /** S8: throws `Fenced` when someone newer wrote the marker, `Corrupt` when it is gone or another's. */
  async check(own: OpenMarker): Promise<void> {
    const found = await this.readMarker();
    if (found?.id === own.id && found.epoch === own.epoch) return;
    if (found !== undefined && found.key === own.key && found.epoch > own.epoch) {
      throw fenced({
        op: 'fence',
        subject: this.subject,
        message: `attempt ${found.epoch} holds the disk, this is attempt ${own.epoch}`,
        hint: 'Nothing to do: the newer attempt goes on.',
      });
    }
    throw corrupt({
      op: 'fence',
      subject: this.subject,
      message: 'the open marker of this attempt is no longer on the disk',
      hint: 'Something else wrote to the target disk; find it, unplug it there, then copy the disk in full.',
    });
  }

  private lost(what: string): Error {
    return corrupt({
      op: 'open',
      subject: this.subject,
      message: `${what} was written and flushed, but reads back as something else`,
      hint: 'The target storage loses writes; use another datastore.',
    });
  }
}
