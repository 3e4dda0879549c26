/**
 * The folder a lab lives in, and the folders of labs that were killed before they could remove theirs.
 * Rule: a folder is removed only when it carries an owner’s mark and that owner no longer runs.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'homeward-lab-';
const ownerFile = 'owner.pid';

/** Whether a process with this id exists, whoever owns it. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes what killed labs left in the temporary folder. A folder that is being removed by someone else is no error. */
export async function removeLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  await Promise.all(
    names.map(async (name) => {
      const folder = join(tmpdir(), name);
      const owner = Number(await readFile(join(folder, ownerFile), 'utf8').catch(() => ''));
      if (Number.isInteger(owner) && owner > 0 && !runs(owner)) await rm(folder, { recursive: true, force: true });
    }),
  );
}

/** Opens a new folder, or the one that was asked for. A folder to be kept, or asked for, is never taken for a leftover. */
export async function openLabFolder(wanted: string | undefined, keep: boolean): Promise<string> {
  if (wanted !== undefined) {
    await mkdir(wanted, { recursive: true });
    return wanted;
  }
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), prefix));
  if (!keep) await writeFile(join(folder, ownerFile), String(process.pid));
  return folder;
}
