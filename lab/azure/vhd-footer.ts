/**
 * The 512-byte footer of a fixed VHD, as every exported managed disk ends with; computed, never stored.
 * Layout and checksum after Microsoft's published Virtual Hard Disk image format specification.
 */
const footerBytes = 512;
const secondsTo2000 = 946_684_800;

/** Cylinders, heads and sectors the format wants for a disk of this size. */
function geometry(sizeBytes: number): readonly [number, number, number] {
  const total = Math.min(Math.floor(sizeBytes / 512), 65_535 * 16 * 255);
  if (total >= 65_535 * 16 * 63) return [Math.floor(total / 255 / 16), 16, 255];
  for (const sectors of [17, 31, 63]) {
    const heads = sectors === 17 ? Math.max(4, Math.ceil(total / 17 / 1024)) : 16;
    const cylinders = Math.floor(total / sectors / heads);
    if ((heads <= 16 && cylinders < 1024) || sectors === 63) return [cylinders, heads, sectors];
  }
  return [0, 16, 63];
}

/** The footer of a disk of `sizeBytes`; `id` is 16 bytes. */
export function vhdFooter(sizeBytes: number, id: Buffer): Buffer {
  const footer = Buffer.alloc(footerBytes);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 16);
  footer.writeUInt32BE(Math.floor(Date.now() / 1000) - secondsTo2000, 24);
  footer.write('win ', 28, 'latin1');
  footer.writeUInt32BE(0x000a_0000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  const [cylinders, heads, sectors] = geometry(sizeBytes);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(2, 60);
  id.copy(footer, 68, 0, 16);
  const sum = footer.reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
  return footer;
}
