/**
 * Limits as the inventory has them: which of them a mover's copy is under, and between how many movers each is divided.
 * Rule: the division is static, by the inventory and not by who copies just now, so that no mover must know of another
 * and the sum never goes over what was allowed; a mover that idles leaves its share unused.
 */
import type { Inventory } from './inventory.ts';
import type { InventoryFault } from './inventory-faults.ts';
import { compile, type LimitRule, type LimitScope, rateAt, type ScopeKind, windowKey } from './limit.ts';
import type { RoundLimit, RoundReport } from './round.ts';

const sectionOf = { mover: 'movers', site: 'sites', link: 'links' } as const satisfies Record<ScopeKind, string>;

/** The names the inventory knows of a kind. */
export const scopeNames = (parsed: Inventory, kind: ScopeKind): string[] => Object.keys(parsed[sectionOf[kind]]);

/** What homeward.yaml says of a scope; empty where it says nothing. */
export const rulesOf = (parsed: Inventory, { kind, name }: LimitScope): readonly LimitRule[] =>
  parsed.limits[sectionOf[kind]][name] ?? [];

/** The movers whose bytes a scope counts, in the order of the inventory. */
export function sharersOf(parsed: Inventory, { kind, name }: LimitScope): string[] {
  const movers = Object.entries(parsed.movers);
  if (kind === 'mover') return movers.map(([mover]) => mover).filter((mover) => mover === name);
  if (kind === 'link')
    return movers.map(([mover]) => mover).filter((mover) => parsed.links[name]?.movers.includes(mover));
  // Any mover of a machine's target site may be given that machine while it is under way, and then reads from its source.
  const reads = (from: string) =>
    Object.values(parsed.machines).some(({ source, target }) => target.site === from && source.site === name);
  return movers.filter(([, { site }]) => site === name || reads(site)).map(([mover]) => mover);
}

/** Every scope that may hold a mover's copies back, whether or not a rule is written for it. */
export const scopesOf = (parsed: Inventory, mover: string): LimitScope[] =>
  (['mover', 'site', 'link'] as const)
    .flatMap((kind) => scopeNames(parsed, kind).map((name) => ({ kind, name })))
    .filter((scope) => sharersOf(parsed, scope).includes(mover));

/** Limits and links that name nobody, and two rules of one scope for the same window. */
export function limitFaults(parsed: Inventory): InventoryFault[] {
  const found: InventoryFault[] = [];
  const need = (at: string[], kind: ScopeKind, name: string): void => {
    const known = scopeNames(parsed, kind);
    if (known.includes(name)) return;
    found.push({ at, message: `no ${kind} is called "${name}" (known: ${known.join(', ') || 'none is defined'})` });
  };
  for (const [link, { movers }] of Object.entries(parsed.links))
    for (const [index, mover] of movers.entries()) need(['links', link, 'movers', String(index)], 'mover', mover);
  for (const kind of ['mover', 'site', 'link'] as const) {
    const section = sectionOf[kind];
    for (const [name, rules] of Object.entries(parsed.limits[section])) {
      need(['limits', section, name], kind, name);
      const keys = rules.map(windowKey);
      for (const [index, key] of keys.entries())
        if (keys.indexOf(key) < index)
          found.push({
            at: ['limits', section, name, String(index)],
            message: 'another rule here is for the same time; keep one of them',
          });
    }
  }
  return found;
}

/** What a mover must know of the inventory to keep its limits. */
export interface MoverLimitsPlan {
  readonly mover: string;
  readonly cutover: 'limited' | 'exempt';
  readonly scopes: readonly {
    readonly scope: LimitScope;
    readonly sharedBy: number;
    readonly rules: readonly LimitRule[];
  }[];
}

export const limitsPlan = (parsed: Inventory, mover: string): MoverLimitsPlan => ({
  mover,
  cutover: parsed.limits.cutover,
  scopes: scopesOf(parsed, mover).map((scope) => ({
    scope,
    sharedBy: sharersOf(parsed, scope).length,
    rules: rulesOf(parsed, scope),
  })),
});

/**
 * The lowest rate homeward.yaml allows a mover's copy from a source at `at` (epoch ms): its share of each scope, in bytes per
 * second; undefined without a limit. What was set since is known to the mover alone.
 */
export function lowestRate(parsed: Inventory, mover: string, source: string, at: number): number | undefined {
  const sites = [source, parsed.movers[mover]?.site];
  const rates = limitsPlan(parsed, mover)
    .scopes.filter(({ scope: { kind, name } }) => kind !== 'site' || sites.includes(name))
    .flatMap(({ rules, sharedBy }) => {
      const { bytesPerSecond } = rateAt(rules.map(compile), at);
      return bytesPerSecond === undefined ? [] : bytesPerSecond / sharedBy;
    });
  return rates.length > 0 ? Math.min(...rates) : undefined;
}

/**
 * The limit at `now` (epoch ms) on a mover's copy from a source whose last round is over: that of the round, which knows also
 * what was set since, unless homeward.yaml has had another rate for it since then. No limit is an infinite rate.
 */
export function limitSince(
  parsed: Inventory,
  mover: string,
  source: string,
  last: Pick<RoundReport, 'endedAt' | 'limit'>,
  now: number,
): Omit<RoundLimit, 'by'> | undefined {
  const [then, rate] = [Date.parse(last.endedAt), now].map((at) => lowestRate(parsed, mover, source, at));
  if (rate === then) return last.limit;
  const { cutover } = parsed.limits;
  return { bytesPerSecond: rate ?? Number.POSITIVE_INFINITY, ...(cutover === 'exempt' ? { cutover } : {}) };
}
