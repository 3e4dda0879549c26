/**
 * Fetches the Temporal CLI from its maker, the last way to get it.
 * Rule: the address is the one in the maker's documentation (docs.temporal.io, "Run a development server").
 * Never runs what it fetched before it has been unpacked whole.
 */
import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from './command.mjs';

const timeoutMs = 5 * 60_000;

const archiveUrl = () => {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return `https://temporal.download/cli/archive/latest?platform=${process.platform}&arch=${arch}`;
};

export async function downloadTemporal(target) {
  const folder = mkdtempSync(join(dirname(target), '.download-'));
  try {
    const answer = await fetch(archiveUrl(), { signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`the download answered ${answer.status}`);
    const archive = join(folder, 'temporal.tar.gz');
    await writeFile(archive, Buffer.from(await answer.arrayBuffer()));
    await runCommand('tar', ['-xzf', archive, '-C', folder, 'temporal']);
    chmodSync(join(folder, 'temporal'), 0o755);
    renameSync(join(folder, 'temporal'), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
