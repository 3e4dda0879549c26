/**
 * The contestants beside Homeward: azcopy, qemu-img, and the two limits, curl to nothing and dd past the page cache.
 * Rule: each is started as its users start it, its start-up counted, and its version told. One that is not there is said
 * to be missing, with what to install; it is never replaced by another.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostTool } from '../setup/host-tools.mjs';
import { cacheFolder } from '../setup/places.mjs';
import { mib, type Range } from './layout.ts';
import type { SourceDisk, Stage } from './stage.ts';

const run = promisify(execFile);
const azcopyPackage = '@azure-tools/azcopy-linux';
const azcopyVersion = '10.32.2';
const pieceBytes = 4 * mib;

export interface Timed {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface Peer {
  readonly version: string;
  readonly program: string;
}

/** A peer, or why there is none. */
export type FoundPeer = Peer | { readonly why: string };

export const isThere = (peer: FoundPeer): peer is Peer => 'program' in peer;

const firstLine = async (program: string, args: readonly string[]): Promise<string> =>
  (await run(program, [...args])).stdout.split('\n')[0]?.trim() ?? '';

/** Installs azcopy into the user's cache when it is not there: 80 MB, no dependency of the project. */
export async function findAzcopy(say: (text: string) => void): Promise<FoundPeer> {
  const folder = join(cacheFolder(), 'peers', `azcopy-${azcopyVersion}`);
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const program = join(folder, 'node_modules', azcopyPackage, 'dist', 'bin', `azcopy_linux_${arch}`);
  try {
    if (!existsSync(program)) {
      say(`installing ${azcopyPackage} ${azcopyVersion} into ${folder}`);
      await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `${azcopyPackage}@${azcopyVersion}`]);
    }
    // The package sets this bit when its own script is first used.
    await chmod(program, 0o755);
    return { program, version: (await firstLine(program, ['--version'])).replace(/^azcopy version /, '') };
  } catch (error) {
    return { why: `azcopy could not be had (npm install ${azcopyPackage}): ${wordsOf(error)}` };
  }
}

const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

async function findTool(name: string, package_: string, shown: (line: string) => string): Promise<FoundPeer> {
  const program = hostTool(name);
  if (program === undefined) return { why: `${name} is not there; install the package ${package_}` };
  return { program, version: shown(await firstLine(program, ['--version'])) };
}

const thirdWord = (line: string): string => line.split(' ')[2] ?? line;
export const findQemuImg = (): Promise<FoundPeer> => findTool('qemu-img', 'qemu-utils and qemu-block-extra', thirdWord);
export const findCurl = (): Promise<FoundPeer> => findTool('curl', 'curl', (line) => line.split(' ')[1] ?? line);
export const findDd = (): Promise<FoundPeer> => findTool('dd', 'coreutils', thirdWord);

/** Far longer than any copy here takes; a program that is not done by then has lost its way, not the race. */
const patienceSeconds = 60;

/** Runs a program to its end and tells its time and CPU as the shell counts them. Throws when it fails or stands still. */
async function timed(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Timed> {
  const script = `TIMEFORMAT="%R %U %S"; time timeout ${patienceSeconds} "$@"`;
  const running = run('bash', ['-c', script, 'bash', program, ...args], {
    env: { ...process.env, LC_ALL: 'C', ...env },
    maxBuffer: 64 * mib,
  });
  // Whoever interrupts the bench does not want its peer to go on.
  const end = (): void => void running.child.kill();
  process.once('exit', end);
  const { stderr } = await running.finally(() => process.off('exit', end));
  const [seconds = Number.NaN, user = Number.NaN, system = Number.NaN] =
    stderr.trimEnd().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return { seconds, cpuSeconds: user + system };
}

/** What `timeout` ends with when it had to end the program. */
const stoodStill = (error: unknown): boolean => (error as { code?: unknown }).code === 124;

export async function runAzcopy({ program }: Peer, stage: Stage, source: SourceDisk, to: string): Promise<Timed> {
  const work = join(stage.folder, 'azcopy');
  await mkdir(work, { recursive: true });
  const from = `${stage.address(source)}?sv=2018-03-28&sr=b&sig=bench`;
  const env = { SSL_CERT_FILE: stage.caFile, AZCOPY_LOG_LOCATION: work, AZCOPY_JOB_PLAN_LOCATION: work };
  const words = ['copy', from, to, '--from-to', 'BlobLocal', '--check-md5', 'NoCheck', '--log-level', 'ERROR'];
  const result = await timed(program, words, env);
  await rm(work, { recursive: true, force: true });
  return result;
}

/** Seconds. Its own default of 5 fails reads on a busy machine, and with `-W` a failed read makes it wait for ever. */
const qemuTimeout = 600;
/** More of them than four make version 7.2 slower, and stand still more often. */
const qemuLanes = '4';
/** It stands still now and then, all its connections idle. A run that did says nothing of its speed. */
const qemuTries = 5;

/** Its library of TLS cannot be told of a private authority, so it alone is spared the check. */
export async function runQemuImg(
  { program }: Peer,
  stage: Stage,
  source: SourceDisk,
  to: string,
  say: (text: string) => void,
): Promise<Timed> {
  const url = stage.address(source);
  const driver = { driver: 'https', url, sslverify: 'off', readahead: pieceBytes, timeout: qemuTimeout };
  const from = `json:${JSON.stringify({ driver: 'raw', file: driver })}`;
  for (let left = qemuTries; ; left--)
    try {
      return await timed(program, ['convert', '-t', 'none', '-W', '-m', qemuLanes, '-O', 'raw', from, to]);
    } catch (error) {
      if (left === 1 || !stoodStill(error)) throw error;
      say(`qemu-img stood still for ${patienceSeconds} s; that run does not count, it is run again`);
    }
}

/** The same ranges as the copy reads, in pieces of 4 MiB, eight at once, to nothing. */
export async function runCurl(
  { program }: Peer,
  stage: Stage,
  source: SourceDisk,
  ranges: readonly Range[],
): Promise<Timed> {
  const asked: string[] = [];
  for (const { start, end } of ranges)
    for (let at = start; at < end; at += pieceBytes)
      asked.push(
        `url = "${stage.address(source)}"\nrange = "${at}-${Math.min(end, at + pieceBytes) - 1}"\noutput = "/dev/null"`,
      );
  const config = join(stage.folder, 'curl.txt');
  await writeFile(
    config,
    `${asked.map((each) => `${each}\ncacert = "${stage.caFile}"\nfail\nsilent`).join('\nnext\n')}\n`,
  );
  return timed(program, ['--parallel', '--parallel-max', '8', '--config', config]);
}

/** As many bytes as the disk has data, from memory to a new file past the page cache, durable at the end. */
export function runDd({ program }: Peer, source: SourceDisk, to: string): Promise<Timed> {
  const count = [`count=${source.dataBytes}`, 'iflag=count_bytes,fullblock'];
  return timed(program, [`if=${source.path}`, `of=${to}`, 'bs=4M', 'oflag=direct', 'conv=fsync', ...count]);
}

/** The same, and then reads all of it back past the page cache, to nothing. */
export async function runDdAndBack(dd: Peer, source: SourceDisk, to: string): Promise<Timed> {
  const there = await runDd(dd, source, to);
  const back = await timed(dd.program, [`if=${to}`, 'of=/dev/null', 'bs=4M', 'iflag=direct']);
  return { seconds: there.seconds + back.seconds, cpuSeconds: there.cpuSeconds + back.cpuSeconds };
}
