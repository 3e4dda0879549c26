/**
 * The folder a lab lives in, and the folders of labs that were killed before they could remove theirs.
 * Rule: a folder is removed only when it carries an owner’s mark and that owner no longer runs; a later process that was
 * given the same id is not the owner.
 */
import { readFileSync } from 'node:fs';
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

/**
 * When a process began, in the system's own words (Linux: clock ticks since the boot); empty where it does not tell, and
 * for a process that is gone.
 */
function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold blanks and brackets; what follows it is the third field.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

/** What the owner writes into its folder. */
export const ownersMark = (pid: number): string => `${pid} ${beginningOf(pid)}`.trim();

/** Whether the one who wrote the mark runs still. */
function ownerRuns(pid: number, begun: string | undefined): boolean {
  if (!runs(pid)) return false;
  const seen = beginningOf(pid);
  return begun === undefined || seen === '' || seen === begun;
}

/** Removes what killed labs left in the temporary folder. A folder that is being removed by someone else is no error. */
export async function removeLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  await Promise.all(
    names.map(async (name) => {
      const folder = join(tmpdir(), name);
      const [id, begun] = (await readFile(join(folder, ownerFile), 'utf8').catch(() => '')).split(' ');
      const owner = Number(id);
      if (Number.isInteger(owner) && owner > 0 && !ownerRuns(owner, begun))
        await rm(folder, { recursive: true, force: true });
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
  if (!keep) await writeFile(join(folder, ownerFile), ownersMark(process.pid));
  return folder;
}
