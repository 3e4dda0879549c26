/**
 * An archive a Linux kernel unpacks as its first file system: cpio in the "newc" form.
 * Rule: equal input gives equal bytes; every file belongs to root and has no time.
 * Never holds anything but folders and plain files.
 */

export interface ArchiveFile {
  /** Path without a leading slash; its folders are made as they are met. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly executable?: boolean;
}

const folderMode = 0o040755;
const fileMode = (executable: boolean): number => (executable ? 0o100755 : 0o100644);
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

function entry(number: number, path: string, mode: number, data: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  // In order: inode, mode, user, group, links, time, size, device (two), device named (two), length of the name, check.
  const fields = [number, mode, 0, 0, 1, 0, data.byteLength, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(head), name])), padded(Buffer.from(data))]);
}

/** The whole archive. */
export function writtenCpio(files: readonly ArchiveFile[]): Buffer {
  const parts: Buffer[] = [];
  const made = new Set<string>();
  const add = (path: string, mode: number, data: Uint8Array): void => {
    parts.push(entry(parts.length + 1, path, mode, data));
  };
  for (const { path, data, executable } of files) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const folder = names.slice(0, depth).join('/');
      if (!made.has(folder)) add(folder, folderMode, Buffer.alloc(0));
      made.add(folder);
    }
    add(path, fileMode(executable === true), data);
  }
  add('TRAILER!!!', 0, Buffer.alloc(0));
  return Buffer.concat(parts);
}
