/**
 * What may befall a round at the host's edge, and how the attempt may end then: in the words of the engine's failures.
 * Rule: one call a fault, of those that it can befall; which one is chosen beforehand. A medium that lies says that all went well.
 */
import { blockBytes } from '../../disk/geometry.ts';
import { type HostCall, systemError } from './host-edge.ts';
import type { TargetLog } from './target-log.ts';
import { patternImage } from './workbench.ts';

/** Numbers that look random, the same for the same seed. */
export class Dice {
  private readonly bytes: Buffer;
  private at = 0;
  constructor(seed: number) {
    this.bytes = patternImage(seed, 16_384);
  }
  /** 0 to `sides` - 1. */
  roll(sides: number): number {
    this.at = (this.at + 4) % this.bytes.byteLength;
    return this.bytes.readUInt32LE(this.at) % sides;
  }
  one<T>(of: readonly T[]): T {
    return of[this.roll(of.length)] as T;
  }
}

/** Where a call is made, in an attempt. */
export interface Place {
  readonly log: TargetLog;
  /** On the target; else on the journal. */
  readonly onTarget: boolean;
  readonly stop: () => void;
  /** Told of bytes that came where they do not belong. */
  readonly strayed: (offset: number, length: number) => void;
}

interface Kind {
  befalls(call: HostCall, place: Place): boolean;
  act(call: HostCall, place: Place): Promise<unknown>;
  /** How an attempt may end that it befell; '' is well. */
  readonly ends: readonly string[];
  /** It may be found only later. */
  readonly lies?: true;
  /** About so many calls of a round are such. */
  readonly calls: number;
}

const failed = (): Promise<never> => Promise.reject(systemError('EIO'));
const pretended = ({ name, length }: HostCall): unknown => (name === 'write' ? { bytesWritten: length } : undefined);
const half = ({ length }: HostCall): number => Math.floor(length / 1024) * 512;

const ofData = (call: HostCall, { log, onTarget }: Place, names: readonly string[]): boolean =>
  onTarget && names.includes(call.name) && log.isInside(call);
const writes = (call: HostCall, place: Place): boolean => ofData(call, place, ['write', 'punch']);
const found = ['Corrupt proof', 'Corrupt lineage', ''];

export const kinds = {
  'an error of a write': {
    befalls: (call, place) => ofData(call, place, ['write']),
    act: failed,
    ends: ['Refused target.write'],
    calls: 12,
  },
  'a short write': {
    befalls: (call, place) => ofData(call, place, ['write']),
    act: (call) => call.first(Math.max(512, half(call))),
    ends: [''],
    calls: 12,
  },
  'a lost write': { befalls: writes, act: async (call) => pretended(call), ends: found, lies: true, calls: 12 },
  'a torn write': {
    befalls: writes,
    async act(call) {
      if (half(call) > 0) await call.first(half(call));
      return pretended(call);
    },
    ends: found,
    lies: true,
    calls: 12,
  },
  'a misplaced write': {
    befalls: writes,
    async act(call, { log, strayed }) {
      const other = [call.offset + blockBytes, call.offset - blockBytes].find(
        (offset) => log.isInside({ offset }) && log.isInside({ offset: offset + call.length - 1 }),
      );
      if (other === undefined) return pretended(call);
      strayed(other, call.length);
      await call.at(other);
      return pretended(call);
    },
    ends: found,
    lies: true,
    calls: 12,
  },
  'a failed flush': {
    befalls: ({ name }, { log, onTarget }) => onTarget && name === 'flush' && log.wrote,
    act: failed,
    ends: ['Refused target.flush'],
    calls: 4,
  },
  'a failed read': {
    befalls: (call, place) => ofData(call, place, ['read']),
    act: failed,
    ends: ['Refused target.readback', 'Refused target.read'],
    calls: 16,
  },
  'a failed record': {
    befalls: ({ name }, { log, onTarget }) => !onTarget && name === 'append' && log.wrote,
    act: failed,
    ends: ['Refused journal.append'],
    calls: 8,
  },
  'a stop': {
    befalls: (_, { log }) => log.wrote,
    act(call, { stop }) {
      stop();
      return call.all();
    },
    ends: ['stopped', ''],
    calls: 50,
  },
} as const satisfies Record<string, Kind>;
export type KindName = keyof typeof kinds;

/** One that is to come at the nth of the calls it can befall. */
export class Fault {
  readonly name: KindName;
  private left: number;
  met = false;
  constructor(name: KindName, nth: number) {
    this.name = name;
    this.left = nth;
  }
  static random(dice: Dice): Fault {
    const name = dice.one(Object.keys(kinds) as KindName[]);
    return new Fault(name, 1 + dice.roll(kinds[name].calls));
  }
  get kind(): Kind {
    return kinds[this.name];
  }
  comesAt(call: HostCall, place: Place): boolean {
    if (this.met || !this.kind.befalls(call, place) || --this.left > 0) return false;
    this.met = true;
    return true;
  }
}
