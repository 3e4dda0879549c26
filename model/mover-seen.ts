/**
 * What a mover's worker says of itself, and the checks on it: is it there, is it of our version, does it fit the machine,
 * does it reach what it will read from.
 * Rule: the worker tells facts and the story judges, so that a worker of another version is judged by this one's law. Pure.
 */
import type { Awaited, Check } from './check.ts';
import { clockCheck } from './clock-check.ts';
import type { SourceSystem } from './machine.ts';
import { roomCheck, type StateRoomSeen } from './mover-room.ts';
import { directInstead } from './read-back.ts';

/** One place a mover will connect to, tried just now. */
export interface EndpointSeen {
  /** For people: `Azure Resource Manager`. */
  readonly name: string;
  /** `management.azure.com:443`. */
  readonly address: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** What went wrong; absent when it answered. */
  readonly problem?: string;
  /** What to do beside opening the port. */
  readonly hint?: string;
}

/** A datastore that the mover is told to find mounted. */
export interface MountSeen {
  readonly datastore: string;
  readonly folder: string;
  readonly problem?: string;
  /** Its file system refuses O_DIRECT, so that what is written there is read back through the page cache (S3). */
  readonly cached?: true;
}

export interface MoverSeen {
  readonly version: string;
  /** Node's word: `linux`, `win32`. */
  readonly platform: string;
  /** Its clock, ISO 8601. */
  readonly now: string;
  readonly endpoints: readonly EndpointSeen[];
  readonly mounts: readonly MountSeen[];
  /** Absent from a mover of an older version. */
  readonly state?: StateRoomSeen;
}

/** How a mover answered: what it said, or why it did not. */
export type MoverAnswer = { readonly seen: MoverSeen } | { readonly silent: 'not-taken' | 'too-old' | string };

export interface MoverQuestion {
  readonly mover: string;
  /** Version of the control worker that asked; absent when it did not say. */
  readonly version: string | undefined;
  readonly os: SourceSystem | undefined;
  /** Of the disks that it would have; empty where they are not known. */
  readonly sizesBytes: readonly number[];
  /** Whether the policy wants a mover of the same family (S001-9). */
  readonly sameSystem: boolean;
  /** Our clock before the question and after the answer, epoch ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Present while a mover that takes no question may still come back by itself. */
  readonly awaited?: Awaited | undefined;
}

/** How long a mover that lives may take to take a question, in seconds. */
export const takenWithinSeconds = 10;

/** How long one try of the question may take, and all of them together, in milliseconds: Azure's own patience is 60 s. */
export const questionTryMs = 90_000;
export const questionMs = 120_000;

/** How long a mover that takes no question may need to come back, as one that is restarted does, in seconds. */
export const comesBackWithinSeconds = 120;

/** The wait for a mover that has taken no question since then; undefined once it is over. Times are epoch ms. */
export function awaitedMover(mover: string, silentSince: number, now: number): Awaited | undefined {
  const until = silentSince + comesBackWithinSeconds * 1000;
  if (now >= until) return undefined;
  const [since, end] = [silentSince, until].map((at) => new Date(at).toISOString()) as [string, string];
  return { for: `the worker of mover ${mover} to come back`, since, until: end };
}

const startIt = (mover: string): string =>
  `Start it on that machine: npm run mover -- --config homeward.yaml --id ${mover}; it needs gRPC to Temporal (TCP 7233, or the port of your server) and no port open to it.`;

export function moverChecks(answer: MoverAnswer, question: MoverQuestion): Check[] {
  const { mover: subject } = question;
  const worker = { id: 'mover-worker', requirement: 'S000-2', subject } as const;
  if ('seen' in answer) {
    const { seen } = answer;
    const { now: theirs } = seen;
    return [
      { ...worker, verdict: 'pass', seen: `its worker took a question, version ${seen.version} on ${seen.platform}` },
      versionCheck(seen.version, question),
      clockCheck('mover-clock', subject, { ...question, theirs }),
      systemCheck(seen.platform, question),
      ...seen.endpoints.map((endpoint) => endpointCheck(subject, endpoint)),
      ...seen.mounts.map((mount) => mountCheck(subject, mount)),
      roomCheck(subject, seen.state, question.sizesBytes),
    ];
  }
  if (answer.silent === 'too-old')
    return [
      { ...worker, verdict: 'pass', seen: 'its worker took a question' },
      {
        id: 'mover-version',
        verdict: 'refuse',
        subject,
        seen: 'its worker is of an older version that does not know the question',
        remedy: updateIt(question),
      },
    ];
  const seen =
    answer.silent === 'not-taken'
      ? `no worker took a question on its task queue within ${takenWithinSeconds} s`
      : `its worker could not answer: ${answer.silent}`;
  const { awaited: wait } = question;
  const remedy = startIt(subject);
  if (answer.silent === 'not-taken' && wait) return [{ ...worker, verdict: 'wait', seen, remedy, wait }];
  return [{ ...worker, verdict: 'refuse', seen, remedy }];
}

const updateIt = ({ version, mover }: MoverQuestion): string =>
  `Bring mover ${mover} to the version of the control workers${version === undefined ? '' : ` (${version})`}, and start it again; runs go on where they stood.`;

/** Before 1.0 each minor version may change what workers say to each other; from then on each major one. */
const line = (version: string): string => {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
};

export function versionCheck(theirs: string, question: MoverQuestion): Check {
  const { mover: subject, version: ours } = question;
  const about = { id: 'mover-version', subject } as const;
  if (ours === undefined || theirs === ours) return { ...about, verdict: 'pass', seen: `version ${theirs}` };
  const fits = line(theirs) === line(ours);
  return {
    ...about,
    verdict: fits ? 'warn' : 'refuse',
    seen: `the mover is of version ${theirs}, the control worker of ${ours}${fits ? ', which understand each other' : ''}`,
    remedy: updateIt(question),
  };
}

const familyOf = (platform: string): string => (platform === 'win32' ? 'windows' : platform);

/**
 * S001-9: other products need a Windows mover for Windows. Ours writes blocks and mounts no file system of the guest, so
 * another family is allowed, unless the policy asks for the same.
 */
export function systemCheck(platform: string, { mover: subject, os, sameSystem }: MoverQuestion): Check {
  const about = { id: 'mover-system', requirement: 'S001-9', subject } as const;
  const family = familyOf(platform);
  if (os === undefined)
    return { ...about, verdict: 'pass', seen: `a ${family} mover; the source does not say its system` };
  if (os.family === family) return { ...about, verdict: 'pass', seen: `a ${family} mover for a ${os.family} machine` };
  const seen = `a ${family} mover for a ${os.family} machine`;
  if (!sameSystem)
    return { ...about, verdict: 'pass', seen: `${seen}: allowed, because the mover writes blocks and mounts nothing` };
  return {
    ...about,
    verdict: 'refuse',
    seen: `${seen}, and the policy asks for the same system`,
    remedy: `Name a ${os.family} mover for this machine, or set moverSystem: any in its policy; then start again.`,
  };
}

/** S000-6: the port is named with the side it has to be opened from. */
export function endpointCheck(subject: string, { name, address, ms, problem, hint }: EndpointSeen): Check {
  const about = { id: 'mover-reaches', requirement: 'S000-6', subject } as const;
  if (problem === undefined)
    return { ...about, verdict: 'pass', seen: `${name} at ${address} answered within ${Math.round(ms)} ms` };
  return {
    ...about,
    verdict: 'refuse',
    seen: `${name} at ${address} did not answer as it must: ${problem}`,
    remedy: `Open TCP ${address.slice(address.lastIndexOf(':') + 1)} from mover ${subject} to ${address.slice(0, address.lastIndexOf(':'))} in the firewalls between.${hint === undefined ? '' : ` ${hint}`}`,
  };
}

export function mountCheck(subject: string, { datastore, folder, problem, cached }: MountSeen): Check {
  const about = { id: 'mover-mount', subject } as const;
  if (problem === undefined && cached)
    return {
      ...about,
      verdict: 'warn',
      seen: `${datastore} can be written below ${folder}, but its file system takes no direct I/O: disks there are read back through the page cache of the mover, and not from the storage itself`,
      remedy: directInstead(subject, datastore),
    };
  if (problem === undefined) return { ...about, verdict: 'pass', seen: `${datastore} can be written below ${folder}` };
  return {
    ...about,
    verdict: 'refuse',
    seen: `${datastore} cannot be written below ${folder}: ${problem}`,
    remedy: `Mount ${datastore} there on the mover, or take it out of movers.${subject}.datastores in homeward.yaml; then start the mover again.`,
  };
}
