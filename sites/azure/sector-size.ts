/**
 * The logical sector size of a disk, as far as Azure says it. An export of a disk with 4096-byte sectors is a VHDX, whose
 * offsets are not those of the disk.
 * Source: models of @azure/arm-compute, `logicalSectorSize`: told of Ultra and Premium SSD v2 disks, and 4096 by default there.
 */

const mayHaveLarge: readonly (string | undefined)[] = ['UltraSSD_LRS', 'PremiumV2_LRS'];

/** In bytes; of disks that may have large sectors, one of which Azure says nothing counts as such. */
export const sectorBytesOf = (said: number | undefined, sku: string | undefined): number =>
  said ?? (mayHaveLarge.includes(sku) ? 4096 : 512);
