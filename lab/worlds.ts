/**
 * The witness's eyes in a real lab: both simulators' control doors, and the bytes behind the target's disks.
 * Rule: a look takes both worlds as near to one moment as two questions can, and caches nothing but digests of files
 * that have not changed since.
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { azureContentSha256, readAzure } from './azure-control.ts';
import { openFileDisk } from './guest/file-disk.ts';
import { bootSignatures } from './guest/gpt.ts';
import { readVcenter } from './vcenter-control.ts';
import type { Evidence } from './witness/invariants.ts';
import type { WorldView } from './witness/view.ts';

export interface Controls {
  /** The Azure simulator's control door. */
  readonly azure: string;
  /** The vCenter simulator's control door. */
  readonly vcenter: string;
}

export async function lookAtWorlds(controls: Controls): Promise<WorldView> {
  const [azure, vms] = await Promise.all([readAzure(controls.azure), readVcenter(controls.vcenter)]);
  return { azure, vsphere: { vms } };
}

/** SHA-256 of a whole file, hex. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    // One buffer for the whole file: a read stream makes a new one for each piece and takes four times as long.
    const buffer = Buffer.alloc(4 << 20);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

const changedAtMs = (path: string): Promise<number> => stat(path).then((found) => found.mtimeMs);

export function realEvidence(controls: Controls): Evidence {
  const digests = new Map<string, { changedAt: number; sha256: string }>();
  return {
    async targetSha256(path) {
      const changedAt = await changedAtMs(path);
      const known = digests.get(path);
      if (known?.changedAt === changedAt) return known.sha256;
      const sha256 = await fileSha256(path);
      digests.set(path, { changedAt, sha256 });
      return sha256;
    },
    sourceSha256: (disk, moment) => azureContentSha256(controls.azure, disk, moment),
    async signatures(path) {
      const disk = await openFileDisk(path, 'r');
      try {
        return await bootSignatures(disk);
      } finally {
        await disk.close();
      }
    },
    changedAtMs,
    nowMs: () => performance.now(),
    moment: () => new Promise((resolve) => setTimeout(resolve, 300)),
  };
}
