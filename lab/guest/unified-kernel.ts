/**
 * One file that firmware can start: a kernel, its first file system and its command line behind a small EFI program.
 * Rule: the sections follow the program's own without a gap or an overlap, the kernel last, because it needs room behind it.
 * Field offsets are those of the PE specification; the names of the sections are those systemd's EFI stub looks for.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface UnifiedKernelPlan {
  readonly objcopy: string;
  /** systemd's `linuxx64.efi.stub`. */
  readonly stub: string;
  readonly kernel: string;
  readonly initrd: Uint8Array;
  readonly commandLine: string;
}

const pageBytes = 4096;
const toPage = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes;

/** Where the program begins in memory, and the first free address behind its sections. */
function freeSpace(program: Buffer): number {
  const header = program.readUInt32LE(0x3c);
  if (program.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error('the EFI stub is no PE program');
  const sections = program.readUInt16LE(header + 6);
  const table = header + 24 + program.readUInt16LE(header + 20);
  const imageBase = Number(program.readBigUInt64LE(header + 24 + 24));
  let end = 0;
  for (let at = table; at < table + sections * 40; at += 40)
    end = Math.max(end, program.readUInt32LE(at + 12) + program.readUInt32LE(at + 8));
  return imageBase + toPage(end);
}

/** Writes the file to `path`. */
export async function buildUnifiedKernel(plan: UnifiedKernelPlan, path: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'homeward-kernel-'));
  try {
    const sections: [string, Uint8Array][] = [
      ['.osrel', Buffer.from('ID=homeward-lab\nNAME="Homeward Lab Linux"\nVERSION_ID="1"\n')],
      ['.cmdline', Buffer.from(`${plan.commandLine}\0`)],
      ['.initrd', plan.initrd],
      ['.linux', await readFile(plan.kernel)],
    ];
    let address = freeSpace(await readFile(plan.stub));
    const args: string[] = [];
    for (const [name, data] of sections) {
      const file = join(scratch, name.slice(1));
      await writeFile(file, data);
      args.push('--add-section', `${name}=${file}`, '--change-section-vma', `${name}=0x${address.toString(16)}`);
      address += toPage(data.byteLength);
    }
    await promisify(execFile)(plan.objcopy, [...args, plan.stub, path]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
