/**
 * The facts of the machine a bench runs on, and whether a folder lies in memory or on a disk.
 * Rule: taken before the first round, the load average included: who reads the figures must see what else was going on.
 */
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Machine } from './result.ts';

/** `f_type` of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  16914836: 'tmpfs',
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
};

export async function fileSystemOf(folder: string): Promise<string> {
  const { type } = await statfs(folder);
  return fileSystems[type] ?? `file system 0x${type.toString(16)}`;
}

export async function describeMachine(targets: string): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 1024 ** 2),
    kernel: release(),
    node: process.versions.node,
    target: await fileSystemOf(targets),
    loadAverage: loadavg(),
  };
}
