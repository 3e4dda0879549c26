/**
 * Limits and links in homeward.yaml: what they mean for each mover, and mistakes told with line, key and what to write.
 */
import { parseInventory } from '../../config/load.ts';
import { limitSince, limitsPlan, lowestRate, sharersOf } from '../../model/shared-limits.ts';
import { problemsOf, rightText } from './inventory-text.ts';

const withLimits = (limits: string): string => `${rightText}limits:\n${limits}`;

test.each([
  [
    'a rate without a unit',
    '  movers:\n    m1: [{ rate: "100" }]\n',
    ['h.yaml:35:18 limits.movers.m1.0.rate: this is no rate; write 100MiB/s, 250Mbit/s, 1Gbit/s or none'],
  ],
  [
    'a rate that is a hidden stop',
    '  movers:\n    m1: [{ rate: 1KiB/s }]\n',
    ['h.yaml:35:18 limits.movers.m1.0.rate: a rate must be 64KiB/s or more; to stop a copy, hold the run'],
  ],
  [
    'hours of nobody’s clock',
    '  sites:\n    home:\n      - { rate: 1Gbit/s, from: "08:00", to: "18:00" }\n',
    ['h.yaml:36:9 limits.sites.home.0.zone: is missing (days and times need a time zone, like Europe/Berlin)'],
  ],
  [
    'a zone that is none',
    '  movers:\n    m1: [{ rate: none, days: mon, zone: Berlin }]\n',
    ['h.yaml:35:41 limits.movers.m1.0.zone: this is no time zone; use an IANA name like Europe/Berlin'],
  ],
  [
    'days that are none, and a misspelt key',
    '  movers:\n    m1: [{ rate: none, days: weekdays, zone: UTC, form: "08:00" }]\n',
    [
      'h.yaml:35:30 limits.movers.m1.0.days: write days like mon-fri or sat,sun (mon, tue, wed, thu, fri, sat, sun)',
      'h.yaml:35:51 limits.movers.m1.0.form: unknown key; did you mean "from"?',
    ],
  ],
  [
    'names that nobody has',
    '  movers:\n    m2: []\n  links:\n    lan: []\n',
    [
      'h.yaml:35:9 limits.movers.m2: no mover is called "m2" (known: m1)',
      'h.yaml:37:10 limits.links.lan: no link is called "lan" (known: none is defined)',
    ],
  ],
  [
    'two rules for the same time',
    '  movers:\n    m1:\n      - { rate: 1Gbit/s }\n      - { rate: none }\n',
    ['h.yaml:37:9 limits.movers.m1.1: another rule here is for the same time; keep one of them'],
  ],
  [
    'a link of a mover that is not there',
    '  links: { wan: [{ rate: 1Gbit/s }] }\nlinks:\n  wan: { movers: [m1, m2] }\n',
    ['h.yaml:36:23 links.wan.movers.1: no mover is called "m2" (known: m1)'],
  ],
])('R11 %s is told with its line and key', (_what, limits, problems) => {
  expect(problemsOf(withLimits(limits))).toEqual(problems);
});

const shared = parseInventory(
  `${rightText.replace('machines:', '  during: { sync: during }\nmachines:')}
  web:
    source: { site: azure-west, path: rg-dr/web }
    target: { site: annex, path: /DC1/vm/web }
    mover: m3
links:
  wan: { movers: [m1, m3] }
limits:
  cutover: exempt
  sites:
    home: [{ rate: 200MiB/s }]
  links:
    wan: [{ rate: 1Gbit/s }, { rate: 100Mbit/s, days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Berlin }]
`
    .replace(
      'movers:\n  m1',
      'movers:\n  m2: { site: home, vm: /DC0/vm/m2, state: s2 }\n  m3: { site: annex, vm: /DC1/vm/m3, state: s3 }\n  m1',
    )
    .replace(
      '  home:\n',
      '  annex: { kind: vsphere, url: https://vc2.example/sdk, user: u, password: { env: P }, datacenter: DC1 }\n  home:\n',
    ),
  'h.yaml',
);

test('R11 a site is shared by the movers that stand there or may come to read from it, a link by those it names', () => {
  expect(sharersOf(shared, { kind: 'site', name: 'home' })).toEqual(['m2', 'm1']);
  expect(sharersOf(shared, { kind: 'site', name: 'azure-west' })).toEqual(['m2', 'm3', 'm1']);
  expect(sharersOf(shared, { kind: 'link', name: 'wan' })).toEqual(['m3', 'm1']);
  expect(sharersOf(shared, { kind: 'mover', name: 'm2' })).toEqual(['m2']);
});

test('R11 a mover is told its scopes, their rules and between how many each is divided', () => {
  const plan = limitsPlan(shared, 'm1');
  expect(plan.cutover).toBe('exempt');
  expect(plan.scopes.map(({ scope, sharedBy, rules }) => [scope.kind, scope.name, sharedBy, rules.length])).toEqual([
    ['mover', 'm1', 1, 0],
    ['site', 'azure-west', 3, 0],
    ['site', 'home', 2, 1],
    ['link', 'wan', 2, 2],
  ]);
});

test('R4 the lowest share that a mover has of its own limit, its links and both sites counts, and no other site’s', () => {
  const monday = (time: string) => Date.parse(`2026-03-02T${time}:00Z`);
  const limited = {
    ...shared,
    limits: { ...shared.limits, sites: { ...shared.limits.sites, annex: [{ rate: '1MiB/s' }] } },
  };
  expect(lowestRate(limited, 'm1', 'azure-west', monday('12:00'))).toBe(6_250_000);
  expect(lowestRate(limited, 'm1', 'azure-west', monday('22:00'))).toBe(62_500_000);
  expect(lowestRate(limited, 'm2', 'azure-west', monday('12:00'))).toBe(100 * 1024 ** 2);
  expect(lowestRate({ ...shared, limits: { ...shared.limits, sites: {} } }, 'm2', 'azure-west', 0)).toBeUndefined();
});

test('R4 between two rounds the last one’s limit holds, which knows what was set, unless homeward.yaml has another by now', () => {
  const monday = (time: string) => Date.parse(`2026-03-02T${time}:00Z`);
  const seen = { bytesPerSecond: 1_000_000, by: 'mover m1' };
  const since = (text: string, now: string, limit?: typeof seen, parsed = shared) =>
    limitSince(
      parsed,
      'm1',
      'azure-west',
      { endedAt: `2026-03-02T${text}:00Z`, ...(limit ? { limit } : {}) },
      monday(now),
    );
  expect(since('08:00', '16:00', seen)).toEqual(seen);
  expect(since('06:00', '06:59', undefined)).toBeUndefined();
  expect(since('06:00', '07:01', undefined)).toEqual({ bytesPerSecond: 6_250_000, cutover: 'exempt' });
  expect(since('16:59', '17:01', seen)).toEqual({ bytesPerSecond: 62_500_000, cutover: 'exempt' });
  const days = {
    ...shared.limits,
    cutover: 'limited' as const,
    sites: {},
    links: { wan: shared.limits.links.wan?.slice(1) ?? [] },
  };
  const free = since('16:59', '17:01', seen, { ...shared, limits: days });
  expect(free).toEqual({ bytesPerSecond: Number.POSITIVE_INFINITY });
});
