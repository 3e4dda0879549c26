/**
 * Where a machine came from before it ran in Azure, as its owner wrote it down, and what follows from it for the way home.
 * Rule: nobody else remembers it (Azure keeps no such record), so what is not written down is not guessed and refuses nothing.
 * Never looks anywhere: it holds the inventory's words against what was seen by others.
 */
import { z } from 'zod';
import type { Check } from './check.ts';

/** What a target site runs machines on. */
export type Platform = 'vmware' | 'hyper-v';

export const origin = z.strictObject({
  kind: z.enum(['vmware', 'hyper-v', 'physical']).describe('What it ran on at home.'),
  os: z.string().min(1).optional().describe('Its operating system, e.g. Windows Server 2008 R2 SP1.'),
  state: z
    .enum(['failed-over', 'migrated', 'protection-disabled'])
    .default('failed-over')
    .describe(
      'failed-over: it runs in Azure until home is well again. migrated: its migration to Azure was completed. protection-disabled: its protection was switched off in Azure.',
    ),
});
export type Origin = z.infer<typeof origin>;

/** What is held against the inventory's words. */
export interface SeenOfOrigin {
  /** The machine, for people. */
  readonly subject: string;
  readonly platform: Platform;
  /** The guest's own name of its operating system, where an agent in it tells. */
  readonly os?: string | undefined;
}

/** A run keeps what it was started with, so a corrected inventory counts from the next start on. */
const startAgain = 'then cancel this run, if there is one, and start again: a run keeps what it was started with.';

/** The guards that rest on the origin; a single passing one when it is not written down. */
export function originChecks(from: Origin | undefined, seen: SeenOfOrigin): Check[] {
  if (from === undefined)
    return [
      {
        id: 'origin',
        verdict: 'pass',
        subject: seen.subject,
        seen: 'the inventory says nothing of an origin to guard',
      },
    ];
  return [migrated(from, seen), protection(from, seen), platform(from, seen), system(from, seen)];
}

function migrated({ state }: Origin, { subject }: SeenOfOrigin): Check {
  const about = { id: 'origin-not-migrated', requirement: 'S000-14', subject };
  if (state !== 'migrated') return { ...about, verdict: 'pass', seen: 'no migration of it was completed' };
  return {
    ...about,
    verdict: 'refuse',
    seen: 'the inventory says that its migration to Azure was completed: Azure is its home',
    remedy: `If it is to leave Azure all the same, write origin.state: failed-over for it; ${startAgain}`,
  };
}

function protection({ state }: Origin, { subject }: SeenOfOrigin): Check {
  const about = { id: 'origin-protection', requirement: 'S001-1', subject };
  if (state !== 'protection-disabled')
    return { ...about, verdict: 'pass', seen: 'its protection was not switched off' };
  return {
    ...about,
    verdict: 'refuse',
    seen: 'the inventory says that its protection was switched off, so it may have been given up or replaced',
    remedy: `Find out whether this is still the machine that serves. If it is, write origin.state: failed-over for it; ${startAgain}`,
  };
}

const platformNames: Readonly<Record<Platform, string>> = { vmware: 'VMware', 'hyper-v': 'Hyper-V' };

function platform({ kind }: Origin, { subject, platform: to }: SeenOfOrigin): Check {
  const about = { id: 'origin-platform', requirement: 'S000-13', subject };
  if (kind === 'vmware' && to === 'hyper-v')
    return {
      ...about,
      verdict: 'refuse',
      seen: 'it came from VMware and its target is a Hyper-V host; its guest has no drivers of that platform',
      remedy: `Name a vSphere site as its target; ${startAgain}`,
    };
  if (kind === 'hyper-v' && to === 'vmware')
    return {
      ...about,
      verdict: 'warn',
      seen: 'it came from Hyper-V and its target is VMware; whether it boots there hangs on the drivers in its guest',
      remedy:
        'Put the drivers of VMware’s storage and network adapters into the guest before the cutover, and check it before the commit.',
    };
  return {
    ...about,
    verdict: 'pass',
    seen: `it came from ${kind === 'physical' ? 'a physical server' : platformNames[kind]} and goes to ${platformNames[to]}`,
  };
}

const isServer2008R2 = (os: string): boolean => /windows.*\b2008\s*R2\b/i.test(os);

function system({ kind, os: written }: Origin, { subject, os: told }: SeenOfOrigin): Check {
  const about = { id: 'origin-system', requirement: 'S000-12', subject };
  const names = [written, told].filter((name) => name !== undefined);
  const old = names.find(isServer2008R2);
  if (kind !== 'physical' || old === undefined)
    return {
      ...about,
      verdict: 'pass',
      seen: names.length > 0 ? `${kind}, ${names.join(', ')}` : `${kind}; no operating system is written or told`,
    };
  return {
    ...about,
    verdict: 'refuse',
    seen: `it was a physical server with ${old}, which cannot return as a virtual machine`,
    remedy: 'Leave it in Azure, or move its roles to a newer Windows Server there and bring that one home.',
  };
}
