/**
 * Fault rules: what goes wrong at the nth call of an operation. Set by the lab through the control door.
 * Rule: a fault is always something the real service or the network is known to do; a rule counts its hits. Whoever takes a
 * rule away lets the calls go on that it delays.
 */
import { z } from 'zod';

export const faultAction = z.strictObject({
  status: z.int().min(400).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  /** Seconds, an HTTP date, or `none`. */
  retryAfter: z.union([z.number(), z.string()]).optional(),
  delayMs: z.number().optional(),
  /** Cuts the connection before the effect, or after it (the effect is done, the reply is lost), or resets it before. */
  drop: z.enum(['before', 'after', 'reset']).optional(),
  /** Sends only so many bytes of the body, then cuts. */
  truncateBytes: z.int().optional(),
  /** So many bytes more (or, below zero, fewer) than there should be; the header tells the length that is sent. */
  lengthOff: z.int().optional(),
  /** The header tells so many bytes more (or fewer) than are sent. */
  lengthLie: z.int().optional(),
  /** Flips one bit of the body at this offset, after TLS saw to it that nobody else did. */
  flipByte: z.int().optional(),
  /** The long-running operation starts and then fails. */
  lroFail: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  /** Answers another range than the one asked for. */
  wrongRange: z.boolean().optional(),
  /** Answers 200 with the whole blob's status instead of 206. */
  ignoreRange: z.boolean().optional(),
  staleEtag: z.boolean().optional(),
  /** Sends the first half of the body, waits, sends the rest. */
  stallMs: z.number().optional(),
  /** Sends the body in sixteen pieces, and waits so long before each. */
  slowMs: z.number().optional(),
  /** Ends what the request was let in by, its grants or all tokens: before it is looked at, before its answer, after it. */
  expire: z.enum(['before', 'during', 'after']).optional(),
  /** Lists ranges in pieces of at most so many bytes, each beside the next; the service promises no larger ones. */
  splitBytes: z.int().min(512).multipleOf(512).optional(),
  /** A comparison names nothing that was written and cleared again between its two ends; the service does not say whether it does. */
  netList: z.boolean().optional(),
});
export type FaultAction = z.infer<typeof faultAction>;

export const faultRule = z.strictObject({
  operation: z.string(),
  resource: z.string().optional(),
  /** How the range begins that is asked for: `bytes=0-`. */
  range: z.string().optional(),
  skip: z.int().min(0).default(0),
  count: z.int().min(1).default(1),
  action: faultAction,
});
export type FaultRule = z.infer<typeof faultRule>;

/** What a call meets: the fault, and the moment at which nobody wants it to be slow any more. */
export interface MetFault extends FaultAction {
  /** Aborted when the rule is taken away: whom it delays goes on at once. */
  readonly gone: AbortSignal;
}

interface Armed {
  readonly id: string;
  readonly rule: FaultRule;
  readonly gone: AbortController;
  seen: number;
  hits: number;
}

export class Faults {
  private armed: Armed[] = [];
  private next = 1;

  add(rule: FaultRule): string {
    const id = `rule-${this.next++}`;
    this.armed.push({ id, rule, gone: new AbortController(), seen: 0, hits: 0 });
    return id;
  }

  remove(id?: string): void {
    const named = (one: Armed): boolean => id === undefined || one.id === id;
    for (const one of this.armed.filter(named)) one.gone.abort();
    this.armed = this.armed.filter((one) => !named(one));
  }

  list(): object[] {
    return this.armed.map(({ id, rule, seen, hits }) => ({ id, ...rule, seen, hits }));
  }

  /** The fault this call meets, if any; counts the call. */
  meet(operation: string, resource: string, range = ''): MetFault | undefined {
    for (const one of this.armed) {
      const { rule } = one;
      if (rule.operation !== operation || !resource.includes(rule.resource ?? '')) continue;
      if (!range.startsWith(rule.range ?? '')) continue;
      one.seen++;
      if (one.seen <= rule.skip || one.hits >= rule.count) continue;
      one.hits++;
      return { ...rule.action, gone: one.gone.signal };
    }
    return undefined;
  }
}
