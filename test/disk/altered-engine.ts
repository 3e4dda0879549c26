/**
 * The disk engine with one text of it replaced: by a bug, for what must hold although another part is wrong; or by another size.
 * Rule: a copy of the sources in a scratch folder; all else of it is what it is. Its classes are its own: a failure of it is
 * told by its fields. Never changes the working tree.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Altered {
  /** Of the folder `disk`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly line: string;
  readonly instead: string;
}

/** Gives a file of the altered engine's folder `disk`, as its type says. */
export type LoadAltered = <Module>(file: string) => Promise<Module>;

/** Runs `work` with the engine, and removes it. */
export async function withAltered(
  { file, line, instead }: Altered,
  work: (load: LoadAltered) => Promise<void>,
): Promise<void> {
  const root = join(__dirname, '..', '..');
  const folder = mkdtempSync(join(tmpdir(), 'homeward-altered-'));
  try {
    for (const part of ['disk', 'model']) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const path = join(folder, 'disk', file);
    const parts = readFileSync(path, 'utf8').split(line);
    if (parts.length !== 2) throw new RangeError(`${line} stands in ${file} ${parts.length - 1} times`);
    writeFileSync(path, parts.join(instead));
    await work(async (name) => await import(join(folder, 'disk', name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
