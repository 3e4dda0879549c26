/**
 * What killed labs left in the temporary folder, and what is none of a new lab's business.
 * Rule: only folders of this test's own making are looked at; others may be opening labs at the same time.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLabFolder, ownersMark, removeLeftovers } from '../../lab/lab-folder.ts';

const haveBeginnings = existsSync('/proc/self/stat');
/** No process has this id on a system of any size. */
const nobody = 4_194_304 + 7;

async function folderOf(mark: string | undefined, prefix = 'homeward-lab-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  if (mark !== undefined) await writeFile(join(folder, 'owner.pid'), mark);
  return folder;
}

test('the folder of a lab that was killed goes, also when its process id belongs to another process since', async () => {
  const mine = ownersMark(process.pid);
  const folders = {
    dead: await folderOf(String(nobody)),
    deadSince: await folderOf(`${nobody} 12345`),
    reused: await folderOf(`${process.pid} 12345`),
    alive: await folderOf(mine),
    unknown: await folderOf(String(process.pid)),
    kept: await folderOf(undefined),
    garbled: await folderOf('not a number'),
    foreign: await folderOf(String(nobody), 'homeward-other-'),
  };
  await removeLeftovers();
  const stays = Object.entries(folders).flatMap(([name, folder]) => (existsSync(folder) ? [name] : []));
  for (const folder of Object.values(folders)) await rm(folder, { recursive: true, force: true });
  const always = ['alive', 'unknown', 'kept', 'garbled', 'foreign'];
  expect(stays.sort()).toEqual([...always, ...(haveBeginnings ? [] : ['reused'])].sort());
});

test('a lab that opens marks its folder, unless it is to be kept', async () => {
  const folder = await openLabFolder(undefined, false);
  const kept = await openLabFolder(undefined, true);
  await removeLeftovers();
  expect([folder, kept].map((one) => [existsSync(one), existsSync(join(one, 'owner.pid'))])).toEqual([
    [true, true],
    [true, false],
  ]);
  for (const one of [folder, kept]) await rm(one, { recursive: true });
});
