/**
 * What is asked of a mover's limits while it works, and what it answers; crosses Temporal as plain JSON.
 * Rule: an order is data from outside until it was parsed here. What was set while running wins over homeward.yaml until it
 * is cleared, and always says who set it and when.
 */
import { z } from 'zod';
import { type LimitRule, type LimitScope, limitRule, scopeKinds } from './limit.ts';

const scope = z.strictObject({ kind: z.enum(scopeKinds), name: z.string().min(1) });
const person = {
  by: z.string().trim().min(1, 'say who you are').max(200),
  note: z.string().max(1_000).optional(),
};

export const limitsOrder = z.strictObject({
  mover: z.string().min(1),
  /** How long the mover may take to hear it; afterwards nothing is changed. */
  waitSeconds: z.number().min(1).max(3_600).default(30),
  /** At most one of the two; without both it only asks. */
  set: z.strictObject({ scope, rule: limitRule, ...person }).optional(),
  clear: z.strictObject({ scope, ...person }).optional(),
});

export type LimitsOrder = z.input<typeof limitsOrder>;

/** Rules that were set while running, in the place of homeward.yaml's. */
export const limitSetting = z.strictObject({
  scope,
  rules: z.array(limitRule),
  ...person,
  /** ISO 8601, the mover's clock. */
  at: z.string(),
});
export type LimitSetting = z.infer<typeof limitSetting>;

/** One scope as a mover sees it. */
export interface ScopeAnswer {
  readonly scope: LimitScope;
  readonly rules: readonly LimitRule[];
  /** Between how many movers the rate is divided. */
  readonly sharedBy: number;
  /** This mover's share now; absent: no limit. */
  readonly bytesPerSecond?: number;
  /** When the rules next say something else, ISO 8601. */
  readonly until?: string;
  /** Absent: the rules are homeward.yaml's. */
  readonly set?: { readonly by: string; readonly at: string; readonly note?: string };
}

export interface LimitsAnswer {
  readonly mover: string;
  /** ISO 8601. */
  readonly at: string;
  readonly cutover: 'limited' | 'exempt';
  readonly scopes: readonly ScopeAnswer[];
}

/** One at a time for a mover: Temporal itself keeps two orders from crossing. */
export const limitsWorkflowId = (mover: string): string => `limits/${mover}`;
