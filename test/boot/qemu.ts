/**
 * Starts a computer with its disks in QEMU, under real UEFI firmware, and listens to its serial port until it is known
 * whether anything booted. Rule: "nothing to boot" is what the firmware itself says, never a guess from silence; a
 * computer that says neither is an error with its last words. Never looks for a process by name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart, findProgram, type Missing } from '../../lab/guest/boot-parts.ts';

export interface Qemu {
  readonly program: string;
  readonly firmware: string;
  /** What the firmware keeps its settings in; each computer gets a fresh copy. */
  readonly settings: string;
}

/** Where distributions put the firmware (OVMF), code and settings. */
const firmwares = [
  ['usr/share/OVMF/OVMF_CODE_4M.fd', 'usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['usr/share/OVMF/OVMF_CODE.fd', 'usr/share/OVMF/OVMF_VARS.fd'],
  ['usr/share/edk2/x64/OVMF_CODE.4m.fd', 'usr/share/edk2/x64/OVMF_VARS.4m.fd'],
  ['usr/share/qemu/edk2-x86_64-code.fd', 'usr/share/qemu/edk2-i386-vars.fd'],
] as const;

/** QEMU and its firmware, or in one sentence what is missing. */
export function findQemu(): Qemu | Missing {
  const program = findProgram('qemu-system-x86_64');
  if (program === undefined) return { missing: 'qemu-system-x86_64 is not there (package qemu-system-x86).' };
  for (const [code, variables] of firmwares) {
    const [firmware, settings] = [findPart([code]), findPart([variables])];
    if (firmware !== undefined && settings !== undefined) return { program, firmware, settings };
  }
  return { missing: 'QEMU has no UEFI firmware here (package ovmf).' };
}

export interface Computer {
  /** Raw images of the disks it may boot from, in the order it tries them. None: it has no disk at all. */
  readonly os: readonly string[];
  readonly data?: string;
  /** Its writes go to the images; else they are thrown away when it ends. */
  readonly keepsWrites?: boolean;
}

export interface Start {
  readonly booted: boolean;
  /** All it said, without the codes that move a terminal's cursor. */
  readonly words: string;
  /** How many disks the firmware tried and found nothing on that it could load. */
  readonly refusedDisks: number;
  readonly tookMs: number;
}

/** The firmware has tried every disk and starts its own shell, or says that there is nothing at all. */
const nothingToBoot = /UEFI Interactive Shell|No bootable option or device was found/;
/** The firmware's own words for a disk it tried: `BdsDxe: failed to load Boot0001 "…" from …: Not Found`. */
const refusedDisk = /failed to (?:load|start) Boot[0-9A-F]+ .*Not Found/g;
const linuxBooted = /^HOMEWARD BOOTED /m;
/** Emulated on a busy computer everything takes many times as long. */
const patienceMs = 400_000;
const probeMs = 6_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the codes of a terminal
const terminalCodes = /\u001b\[[0-9;=?]*[A-Za-z]|\r/g;

function argumentsOf(qemu: Qemu, computer: Computer, settings: string, accelerator: string): string[] {
  const disk = (path: string, name: string): string[] => ['-drive', `file=${path},format=raw,if=none,id=${name}`];
  return [
    ...['-accel', accelerator, '-m', '256', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-drive', `if=pflash,format=raw,readonly=on,file=${qemu.firmware}`],
    ...['-drive', `if=pflash,format=raw,file=${settings}`],
    ...computer.os.flatMap((path, at) => [
      ...disk(path, `os${at}`),
      ...['-device', `virtio-blk-pci,drive=os${at},bootindex=${at}`],
    ]),
    // The data disk hangs on the controller VMware gives its machines; this firmware cannot boot from it.
    ...(computer.data === undefined
      ? []
      : [...disk(computer.data, 'data'), '-device', 'pvscsi,id=bus', '-device', 'scsi-hd,bus=bus.0,drive=data']),
    ...(computer.keepsWrites === true ? [] : ['-snapshot']),
  ];
}

type Ending = 'ended' | 'nothing to boot' | 'too late';

/** Listens until it ends by itself, says that nothing boots, or has had its time; it runs no more when this returns. */
async function listen(child: ChildProcess, limitMs: number): Promise<{ ending: Ending; words: string }> {
  let words = '';
  const ending = await new Promise<Ending>((resolve) => {
    const timer = setTimeout(() => resolve('too late'), limitMs);
    const hear = (piece: Buffer): void => {
      words += piece.toString('latin1').replace(terminalCodes, '');
      if (nothingToBoot.test(words)) resolve('nothing to boot');
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', () => resolve('ended'));
    child.once('close', () => {
      clearTimeout(timer);
      resolve('ended');
    });
  });
  if (ending !== 'ended') {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  }
  return { ending, words };
}

async function run(qemu: Qemu, computer: Computer, accelerator: string, limitMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'homeward-qemu-'));
  const settings = join(folder, 'settings.fd');
  copyFileSync(qemu.settings, settings);
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once('exit', stop);
  try {
    const child = spawn(qemu.program, argumentsOf(qemu, computer, settings, accelerator), {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: end.signal,
    });
    return await listen(child, limitMs);
  } finally {
    process.off('exit', stop);
    rmSync(folder, { recursive: true, force: true });
  }
}

const kvm = '/dev/kvm';

/** Whether a computer here may run at the speed of the processor; emulated, one start takes a minute of it. */
export function mayUseKvm(): boolean {
  try {
    accessSync(kvm, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let chosen: Promise<string> | undefined;

/** KVM may be offered and still not work (a nested host): it is used only when the firmware comes up under it. */
async function accelerator(qemu: Qemu): Promise<string> {
  if (!mayUseKvm()) return 'tcg';
  const { ending } = await run(qemu, { os: [] }, 'kvm', probeMs);
  return ending === 'nothing to boot' ? 'kvm' : 'tcg';
}

/** Starts the computer and returns when it has powered itself off, or when its firmware finds nothing to boot. */
export async function start(qemu: Qemu, computer: Computer): Promise<Start> {
  chosen ??= accelerator(qemu);
  const way = await chosen;
  const began = performance.now();
  const { ending, words } = await run(qemu, computer, way, patienceMs);
  const tookMs = performance.now() - began;
  const booted = linuxBooted.test(words);
  if (booted !== (ending === 'ended'))
    throw new Error(
      `the computer (${way}) neither booted nor found nothing to boot (${ending}):\n${words.slice(-2_000)}`,
    );
  return { booted, words, tookMs, refusedDisks: words.match(refusedDisk)?.length ?? 0 };
}

/** What the Linux said about itself: `machine`, `release`, `last-record` and so on. */
export function saidAtBoot({ words }: Start): Record<string, string> {
  const line = /^HOMEWARD BOOTED (.*)$/m.exec(words)?.[1] ?? '';
  return Object.fromEntries(line.split(' ').map((fact) => fact.split('=') as [string, string]));
}

/** What its application found and acknowledged, as lines of a side file (lab/guest/acknowledgements.ts). */
export const saidToAcknowledge = ({ words }: Start): string =>
  [...words.matchAll(/^HOMEWARD ACK (.*)$/gm)].map((found) => `${found[1]}\n`).join('');
