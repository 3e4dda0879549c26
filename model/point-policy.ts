/**
 * What a policy says of application-consistent points: how often one is taken, and how many stay.
 * Rule: off unless somebody asks for it, because Azure holds the guest's applications still for each of them.
 */
import { z } from 'zod';
import type { Check } from './check.ts';

export const pointPolicy = {
  applicationPointEverySeconds: z
    .number()
    .min(0)
    .max(2_592_000)
    .default(0)
    .describe(
      'How often an application-consistent point is taken between rounds, to be chosen instead of the latest one. Azure holds the guest’s applications still for it, takes at most three an hour, and advises three hours. 0: never.',
    ),
  applicationPointsKept: z
    .int()
    .min(1)
    .max(10)
    .default(2)
    .describe('How many application-consistent points stay; the newest can be chosen.'),
};

interface PointPolicy {
  readonly sync: 'before' | 'during';
  readonly applicationPointEverySeconds: number;
  readonly applicationPointsKept: number;
}

const wishesForPoints = ({ applicationPointEverySeconds }: PointPolicy): boolean => applicationPointEverySeconds > 0;

/** Only between rounds, so with `during` there is none to make, to look for or to have rights for. */
export const takesApplicationPoints = (policy: PointPolicy): boolean =>
  wishesForPoints(policy) && policy.sync === 'before';

/** Why a run of this policy never has one to choose, in words; undefined where it takes them. */
export function whyNoPoints(policy: PointPolicy): string | undefined {
  if (takesApplicationPoints(policy)) return undefined;
  return wishesForPoints(policy)
    ? 'with sync during there are no rounds to take one between'
    : 'its policy wishes for none (applicationPointEverySeconds: 0)';
}

/** A policy that wishes for what its runs cannot have says so before the start. */
export function pointsCheck(policy: PointPolicy, subject: string): Check[] {
  if (!wishesForPoints(policy) || takesApplicationPoints(policy)) return [];
  return [
    {
      id: 'application-point-rounds',
      verdict: 'warn',
      subject,
      requirement: 'S001-13',
      seen: 'the policy takes application-consistent points, but with sync during there are no rounds to take one between',
      remedy: 'Set sync: before, or come home to the latest point, which loses nothing.',
    },
  ];
}

/** What the source's checks must know of it: nothing where there are no rounds to take one between. */
export const pointsWish = (policy: PointPolicy) =>
  takesApplicationPoints(policy)
    ? { applicationPoints: { everySeconds: policy.applicationPointEverySeconds, keep: policy.applicationPointsKept } }
    : {};
