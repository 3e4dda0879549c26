/**
 * The limits of one mover: what homeward.yaml says, what was set while running, and what holds now.
 * Rule: a change holds in this process at once and is in the state folder before it is answered, so that a restart keeps
 * it; a state that cannot be read stops the mover instead of letting it copy without limits.
 */

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hostCall } from '../disk/failure.ts';
import { readIfPresent, replaceFile } from '../disk/replace-file.ts';
import { refused } from '../model/failure.ts';
import { type LimitScope, scopeText, withRule } from '../model/limit.ts';
import {
  type LimitSetting,
  type LimitsAnswer,
  type LimitsOrder,
  limitSetting,
  limitsOrder,
} from '../model/limits-order.ts';
import { shapeWords } from '../model/shape-words.ts';
import type { MoverLimitsPlan } from '../model/shared-limits.ts';
import { activity } from './attempt.ts';
import { type Lane, Pacer } from './pace.ts';
import { type Clock, systemClock, TokenBucket } from './token-bucket.ts';

const kept = z.strictObject({ version: z.literal(1), set: z.array(limitSetting) });

export class MoverLimits {
  private readonly plan: MoverLimitsPlan;
  private readonly file: string;
  private readonly clock: Clock;
  private readonly buckets: readonly TokenBucket[];
  private readonly pacer: Pacer;
  private settings = new Map<string, LimitSetting>();
  /** Changes go one after the other: each is written before the next is decided. */
  private last: Promise<unknown> = Promise.resolve();

  /** Reads what was set before. Throws Refused when that cannot be read. */
  static async open(plan: MoverLimitsPlan, stateDir: string, clock: Clock = systemClock): Promise<MoverLimits> {
    const limits = new MoverLimits(plan, join(stateDir, 'limits.json'), clock);
    await limits.recall();
    return limits;
  }

  private constructor(plan: MoverLimitsPlan, file: string, clock: Clock) {
    this.plan = plan;
    this.file = file;
    this.clock = clock;
    this.buckets = plan.scopes.map(({ scope, sharedBy }) => new TokenBucket(scope, sharedBy, clock));
    this.pacer = new Pacer(this.buckets, plan.cutover === 'exempt', clock);
    this.apply();
  }

  /** The way of one disk's bytes: all limits of this mover, but of the other sites only that of its own source. */
  lane(sourceSite: string, targetSite: string, urgent: boolean): Lane {
    const passes = ({ kind, name }: LimitScope) => kind !== 'site' || name === sourceSite || name === targetSite;
    return this.pacer.lane(this.plan.scopes.map(({ scope }) => scope).filter(passes), urgent);
  }

  /** Hears one order. Throws Refused for one that is malformed or names a scope this mover is not under. */
  hear(order: unknown): Promise<LimitsAnswer> {
    const turn = this.last.then(() => this.change(this.parse(order)));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private parse(order: unknown): z.infer<typeof limitsOrder> {
    const parsed = limitsOrder.safeParse(order, { error: shapeWords });
    const issue = parsed.error?.issues[0];
    if (!parsed.success) throw this.refusal(`malformed: ${issue?.path.join('.')}: ${issue?.message}`);
    if (parsed.data.mover !== this.plan.mover) throw this.refusal(`the order is for mover ${parsed.data.mover}`);
    return parsed.data;
  }

  private async change({ set, clear }: z.infer<typeof limitsOrder>): Promise<LimitsAnswer> {
    const next = new Map(this.settings);
    const at = new Date(this.clock.wallMs()).toISOString();
    if (set) {
      const { scope, rule, by, note } = set;
      const rules = withRule(this.rulesOf(scope), rule);
      next.set(scopeText(scope), { scope, rules, by, at, ...(note === undefined ? {} : { note }) });
    }
    if (clear) {
      this.rulesOf(clear.scope);
      next.delete(scopeText(clear.scope));
    }
    if (set || clear) {
      await hostCall('state.write', this.plan.mover, () => this.keep([...next.values()]), this.file);
      this.settings = next;
      this.apply();
    }
    return this.answer();
  }

  private async keep(set: LimitSetting[]): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ version: 1, set } satisfies z.infer<typeof kept>, null, 2);
    await replaceFile(this.file, [Buffer.from(`${text}\n`)]);
  }

  private answer(): LimitsAnswer {
    const scopes = this.plan.scopes.map(({ scope }, index) => {
      const bucket = this.buckets[index];
      const [rate, until] = [bucket?.rate() ?? Number.POSITIVE_INFINITY, bucket?.until() ?? Number.POSITIVE_INFINITY];
      const setting = this.settings.get(scopeText(scope));
      return {
        scope,
        rules: this.rulesOf(scope),
        sharedBy: bucket?.sharedBy ?? 1,
        ...(Number.isFinite(rate) ? { bytesPerSecond: Math.round(rate) } : {}),
        ...(Number.isFinite(until) ? { until: new Date(until).toISOString() } : {}),
        ...(setting ? { set: said(setting) } : {}),
      };
    });
    const at = new Date(this.clock.wallMs()).toISOString();
    return { mover: this.plan.mover, at, cutover: this.plan.cutover, scopes };
  }

  private rulesOf(scope: LimitScope) {
    const planned = this.plan.scopes.find((one) => scopeText(one.scope) === scopeText(scope));
    if (!planned) {
      const known = this.plan.scopes.map((one) => scopeText(one.scope)).join(', ');
      throw this.refusal(`mover ${this.plan.mover} is not under ${scopeText(scope)} (it is under: ${known})`);
    }
    return this.settings.get(scopeText(scope))?.rules ?? planned.rules;
  }

  private apply(): void {
    for (const bucket of this.buckets) bucket.set(this.rulesOf(bucket.scope));
    this.pacer.changed();
  }

  private async recall(): Promise<void> {
    const text = await readIfPresent(this.file, this.plan.mover);
    if (text === undefined) return;
    const read = kept.safeParse(parseJson(text.toString('utf8')));
    if (!read.success)
      throw refused({
        op: 'limits',
        subject: this.file,
        message: 'the limits that were set on this mover cannot be read',
        hint: 'Move the file away (then homeward.yaml’s limits hold), start the mover and set them again.',
      });
    this.settings = new Map(read.data.set.map((setting) => [scopeText(setting.scope), setting]));
    this.apply();
  }

  private refusal(message: string): Error {
    const hint = 'Look at the limits (homeward limits show) and say it again; nothing was changed.';
    return refused({ op: 'limits', subject: this.plan.mover, message, hint });
  }
}

const said = ({ by, at, note }: LimitSetting) => ({ by, at, ...(note === undefined ? {} : { note }) });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told by the caller, with the file's name.
  }
}

export const createLimitsActivities = (limits: Pick<MoverLimits, 'hear'>) => ({
  /** Changes this mover's limits, or only answers them. Safe twice: the same order leaves the same rules. */
  ensureLimits: activity('ensureLimits', (order: LimitsOrder): Promise<LimitsAnswer> => limits.hear(order)),
});
