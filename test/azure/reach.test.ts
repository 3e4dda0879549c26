/**
 * What a mover says of the places it will read from, against the lab's Azure: reached, refused, or shut.
 * Rule: ports are shut by naming one that nobody listens on; no secret may be in what is said (S13).
 */
import { freePort } from '../../lab/free-port.ts';
import type { EndpointSeen } from '../../model/mover-seen.ts';
import { type AzureLab, openAzureLab, quiet } from './azure-lab.ts';

let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab();
});
afterAll(() => lab?.close());

type Config = AzureLab['config'];
const reach = (config: Partial<Config> = {}, more: object = {}): Promise<EndpointSeen[]> =>
  lab.reader({ config: { ...lab.config, ...config }, ...more }).observeReach(quiet());
const shut = async (): Promise<string> => `https://localhost:${await freePort()}`;
const problems = (seen: readonly EndpointSeen[]): string[] =>
  seen.filter(({ problem }) => problem !== undefined).map(({ name }) => name);

test('S000-6 a mover that reaches the sign-in, Azure Resource Manager and the proxy says where and how long each took', async () => {
  const seen = await reach();
  expect(seen.map(({ name }) => name)).toEqual(['the sign-in', 'Azure Resource Manager', 'the proxy to the disks']);
  expect(problems(seen)).toEqual([]);
  for (const { address, ms } of seen) {
    expect(address).toMatch(/^(localhost|127\.0\.0\.1):\d+$/);
    expect(ms).toBeGreaterThanOrEqual(0);
  }
  const { proxy: _proxy, ...direct } = lab.config;
  expect(await lab.reader({ config: direct as Config }).observeReach(quiet())).toHaveLength(2);
});

test('S000-6 an Azure that says no was reached all the same', async () => {
  lab.entra.revokeAll();
  expect(problems(await reach())).toEqual([]);
});

test('S000-6 each place that is shut is named with its port', async () => {
  const endpoint = await shut();
  const [, arm] = await reach({ endpoint });
  expect(arm).toMatchObject({
    address: new URL(endpoint).host,
    problem: expect.stringMatching(/ECONNREFUSED|refused/),
  });
  const proxy = (await shut()).replace('https', 'http');
  expect(problems(await reach({ proxy }))).toEqual(['the proxy to the disks']);
  // Without a sign-in nothing can be said of the rest.
  const authority = await shut();
  expect(await reach({ authority })).toMatchObject([{ name: 'the sign-in', address: new URL(authority).host }]);
});

test('S000-6 S13 a mover whose own secret is wrong says so, without the secret', async () => {
  const seen = await reach({}, { secretOf: () => 'wrong-horse' });
  expect(problems(seen)).toEqual(['the sign-in']);
  expect(seen[0]?.hint).toContain('client id and secret');
  expect(JSON.stringify(seen)).not.toContain('wrong-horse');
});
