/**
 * The file calls as the disk engine makes them, each shown to a test before it is done.
 * Rule: the edge of the host and nothing of the engine: a call is done by the system as it was asked, or in part, or
 * elsewhere, or not at all, as a failing medium does it. Never decides what goes wrong; the test does.
 */
import fs, { constants, readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import extensions from 'fs-native-extensions';

export type CallName =
  | 'append'
  | 'flush'
  | 'link'
  | 'mkdir'
  | 'punch'
  | 'read'
  | 'readFile'
  | 'rename'
  | 'stat'
  | 'truncate'
  | 'unlink'
  | 'write'
  | 'writeFile';

export interface HostCall {
  readonly name: CallName;
  /** The file it is done to. */
  readonly path: string;
  /** Bytes it was asked to move; 0 where it moves none. */
  readonly length: number;
  /** Where in the file, for `punch`, `read` and `write`. */
  readonly offset: number;
  /** Of an open file: whether it is used past the page cache. */
  direct(): boolean;
  /** Of an open file: whether a write returns only when it is on the medium. */
  durable(): boolean;
  /** Does what was asked. */
  all(): Promise<unknown>;
  /** Does it with the first so many bytes only; with all of them where it moves none. */
  first(bytes: number): Promise<unknown>;
  /** Does it at another offset. */
  at(offset: number): Promise<unknown>;
}

/** Does the call, or something else, and answers what the engine is told. */
export type Edge = (call: HostCall) => Promise<unknown>;

/** Whether the call changes what a crash would leave behind. */
export const changes = ({ name }: HostCall): boolean => !['read', 'readFile', 'stat'].includes(name);

type Call = (...args: unknown[]) => Promise<unknown>;
type Cut = (args: readonly unknown[], bytes: number) => unknown[];

const same: Cut = (args) => [...args];
const cutPosition: Cut = ([buffer, from, , at], bytes) => [buffer, from, bytes, at];
const cutFirst: Cut = ([content, ...rest], bytes) => [bytesOf(content).subarray(0, bytes), ...rest];
const cutSecond: Cut = ([path, content, ...rest], bytes) => [path, bytesOf(content).subarray(0, bytes), ...rest];

const bytesOf = (content: unknown): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : (content as Uint8Array);

interface Shape {
  readonly name: CallName;
  readonly cut: Cut;
  length(args: readonly unknown[]): number;
  /** Which of the arguments is the offset in the file; 3 where it is not said. */
  readonly place?: number;
}

const handleCalls: Readonly<Record<string, Shape>> = {
  write: { name: 'write', cut: cutPosition, length: (args) => Number(args[2]) },
  read: { name: 'read', cut: cutPosition, length: (args) => Number(args[2]) },
  appendFile: { name: 'append', cut: cutFirst, length: (args) => bytesOf(args[0]).byteLength },
  datasync: { name: 'flush', cut: same, length: () => 0 },
  sync: { name: 'flush', cut: same, length: () => 0 },
  stat: { name: 'stat', cut: same, length: () => 0 },
  truncate: { name: 'truncate', cut: same, length: () => 0 },
};
const pathCalls: Readonly<Record<string, Shape>> = {
  rename: { name: 'rename', cut: same, length: () => 0 },
  link: { name: 'link', cut: same, length: () => 0 },
  unlink: { name: 'unlink', cut: same, length: () => 0 },
  // Of a file that may be gone already.
  rm: { name: 'unlink', cut: same, length: () => 0 },
  mkdir: { name: 'mkdir', cut: same, length: () => 0 },
  stat: { name: 'stat', cut: same, length: () => 0 },
  readFile: { name: 'readFile', cut: same, length: () => 0 },
  writeFile: { name: 'writeFile', cut: cutSecond, length: (args) => bytesOf(args[1]).byteLength },
};

/** Of an open file by its number, in a package: Node has no such call. */
const numberCalls: Readonly<Record<string, Shape>> = {
  trim: { name: 'punch', cut: ([fd, at], bytes) => [fd, at, bytes], length: (args) => Number(args[2]), place: 1 },
};

/** How a call says which file it is done to. */
type Named = 'handle' | 'number' | 'path';

/** Of an open file; one that is closed by now has none, and the call will say so. */
const pathOf = (fd: number): string => (fd < 0 ? '' : readlinkSync(`/proc/self/fd/${fd}`));

/** `man 5 proc`: the flags of an open file, in octal. */
function hasFlag(handle: unknown, flag: number): boolean {
  const { fd } = handle as FileHandle;
  const [, flags = '0'] = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return (Number.parseInt(flags, 8) & flag) !== 0;
}

function watched(original: Call, shape: Shape, named: Named, edge: Edge): Call {
  const { place = 3 } = shape;
  return function (this: unknown, ...args) {
    const call = (use: unknown[]): Promise<unknown> => original.apply(this, use);
    const open = named === 'handle' ? (this as FileHandle).fd : Number(args[0]);
    return edge({
      name: shape.name,
      path: named === 'path' ? String(args[0]) : pathOf(open),
      length: shape.length(args),
      offset: Number(args[place] ?? 0),
      direct: () => named === 'handle' && hasFlag(this, constants.O_DIRECT),
      durable: () => named === 'handle' && hasFlag(this, constants.O_DSYNC),
      all: () => call(args),
      first: (bytes) => call(shape.cut(args, bytes)),
      at: (offset) => call(Object.assign([...args], { [place]: offset })),
    });
  };
}

/** Shows every file call of this process to `edge` until the answered function is called. */
export async function watchHost(edge: Edge): Promise<() => void> {
  const probe = await open(process.execPath);
  const handles = Object.getPrototypeOf(probe) as object;
  await probe.close();
  const restores: (() => void)[] = [];
  const wrap = (on: object, shapes: Readonly<Record<string, Shape>>, named: Named): void => {
    const calls = on as Record<string, Call>;
    for (const [key, shape] of Object.entries(shapes)) {
      const original = calls[key];
      if (original === undefined) throw new RangeError(`there is no call ${key}`);
      calls[key] = watched(original, shape, named, edge);
      restores.push(() => {
        calls[key] = original;
      });
    }
  };
  wrap(handles, handleCalls, 'handle');
  wrap(fs.promises, pathCalls, 'path');
  wrap(extensions, numberCalls, 'number');
  syncBuiltinESMExports();
  return () => {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

/** What a call that is not done fails with. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: done by the test`), { code });

/** Has this process's file systems refuse O_DIRECT, as some do, until the answered function is called. */
export function refuseDirect(): () => void {
  const original = fs.promises.open;
  fs.promises.open = async (path, flags, mode) => {
    if (typeof flags === 'number' && (flags & constants.O_DIRECT) !== 0) throw systemError('EINVAL');
    return original(path, flags, mode);
  };
  syncBuiltinESMExports();
  return () => {
    fs.promises.open = original;
    syncBuiltinESMExports();
  };
}
