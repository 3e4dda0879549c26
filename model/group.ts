/**
 * Machines that belong together (a multi-VM replication group): they are brought home through one mover, and not one alone.
 * Rule: a member that goes alone does so because a person said it, and the run's record keeps that it was said (S000-20).
 */
import type { Check } from './check.ts';
import type { MachineAddress, SourceSystem } from './machine.ts';

/** The group of a machine that comes home, as it was at the start. */
export interface GroupOf {
  readonly name: string;
  readonly others: readonly GroupMember[];
  /** A person said that this machine comes home without the others. */
  readonly alone?: true;
}

export interface GroupMember {
  readonly machine: string;
  readonly source: MachineAddress;
}

interface Member {
  readonly group?: string | undefined;
  readonly mover: string;
}

interface GroupFault {
  /** Path of keys to the offending value. */
  readonly at: readonly string[];
  readonly message: string;
}

/** S000-5, S000-20: all members of a group go through one mover. */
export function groupFaults(machines: Readonly<Record<string, Member>>): GroupFault[] {
  const first = new Map<string, readonly [machine: string, mover: string]>();
  const found: GroupFault[] = [];
  for (const [machine, { group, mover }] of Object.entries(machines)) {
    if (group === undefined) continue;
    const known = first.get(group);
    if (!known) first.set(group, [machine, mover]);
    else if (known[1] !== mover)
      found.push({
        at: ['machines', machine, 'mover'],
        message: `all members of group "${group}" go through one mover, and "${known[0]}" goes through "${known[1]}"`,
      });
  }
  return found;
}

/** Undefined for a machine of no group. */
export function groupOf(
  machines: Readonly<Record<string, Member & { readonly source: MachineAddress }>>,
  machine: string,
): GroupOf | undefined {
  const name = machines[machine]?.group;
  if (name === undefined) return undefined;
  const others = Object.entries(machines)
    .filter(([key, entry]) => key !== machine && entry.group === name)
    .map(([key, { source }]) => ({ machine: key, source }));
  return { name, others };
}

const names = ({ others }: GroupOf): string => others.map(({ machine }) => machine).join(', ');

/** S000-20: empty for a machine of no group. */
export function aloneChecks(subject: string, group: GroupOf | undefined): Check[] {
  if (!group) return [];
  const about = { id: 'group-member-alone', requirement: 'S000-20', subject } as const;
  if (group.others.length === 0)
    return [{ ...about, verdict: 'pass', seen: `it is the only member of group ${group.name}` }];
  const seen = `it is a member of group ${group.name}, with ${names(group)}, and comes home at another moment than they`;
  if (group.alone)
    return [
      {
        ...about,
        verdict: 'warn',
        seen: `${seen}; a person said that it shall`,
        remedy: 'Bring the others home too, and commit none before all of them were checked together.',
      },
    ];
  return [{ ...about, verdict: 'refuse', seen, remedy: aloneRemedy(subject, group) }];
}

/** What the record keeps of what was said; undefined when nobody had to say it. */
export const saidAlone = (
  group: GroupOf | undefined,
): { readonly group: string; readonly others: string } | undefined =>
  group?.alone && group.others.length > 0 ? { group: group.name, others: names(group) } : undefined;

export const aloneRemedy = (machine: string, group: GroupOf): string =>
  `Plans, which bring a group home together, are not built yet. If ${machine} may come home by itself, cancel this run, if there is one, and start it with --alone, and ${names(group)} in the same way.`;

export interface MemberSystem {
  readonly machine: string;
  /** Absent when the source did not say it, or could not be seen. */
  readonly os?: SourceSystem | undefined;
}

/** S000-5: one family of operating systems in a group, where the policy asks for it. */
export function groupSystemChecks(
  subject: string,
  group: GroupOf | undefined,
  members: readonly MemberSystem[],
  sameSystem: boolean,
): Check[] {
  if (!group || group.others.length === 0) return [];
  const about = { id: 'group-system', requirement: 'S000-5', subject } as const;
  const words = members.map(({ machine, os }) => `${machine} ${os?.family ?? 'unknown'}`).join(', ');
  const families = new Set(members.flatMap(({ os }) => os?.family ?? []));
  if (families.size < 2) return [{ ...about, verdict: 'pass', seen: `group ${group.name}: ${words}` }];
  if (!sameSystem)
    return [
      {
        ...about,
        verdict: 'pass',
        seen: `group ${group.name}: ${words}; allowed, because the mover writes blocks and mounts nothing`,
      },
    ];
  return [
    {
      ...about,
      verdict: 'refuse',
      seen: `group ${group.name} mixes systems (${words}), and the policy asks for the same`,
      remedy: 'Make a group of each family in homeward.yaml, or set moverSystem: any in the policy; then start again.',
    },
  ];
}
