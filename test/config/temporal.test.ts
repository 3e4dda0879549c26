/**
 * Which Temporal is used: variables beat the profile, the profile beats homeward.yaml, homeward.yaml beats the defaults.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalSettings } from '../../config/temporal.ts';

let folder = '';
let profiles = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-temporal-'));
  profiles = join(folder, 'temporal.toml');
  writeFileSync(profiles, '[profile.prod]\naddress = "prod:7233"\nnamespace = "dr"\napi_key = "hunter2"\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** No profile file of the person who runs the tests may play a part. */
const noProfiles = () => ({ TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') });
const someProfiles = () => ({ TEMPORAL_CONFIG_FILE: profiles });

test('nothing said means the default server and namespace', () => {
  expect(temporalSettings({}, noProfiles())).toMatchObject({
    address: 'localhost:7233',
    namespace: 'default',
    origin: 'default',
  });
});

test('homeward.yaml beats the defaults', () => {
  const settings = temporalSettings({ address: 'yaml:7233', namespace: 'n' }, noProfiles());
  expect(settings).toMatchObject({ address: 'yaml:7233', namespace: 'n', origin: 'homeward.yaml' });
  expect(settings.connectionOptions?.address).toBe('yaml:7233');
  expect(settings.warning).toBeUndefined();
});

test('a profile beats homeward.yaml, and the difference is told', () => {
  const settings = temporalSettings({ address: 'yaml:7233', profile: 'prod' }, someProfiles());
  expect(settings).toMatchObject({ address: 'prod:7233', namespace: 'dr', origin: 'the Temporal profile "prod"' });
  expect(settings.warning).toBe(
    'using Temporal at prod:7233, namespace dr (the Temporal profile "prod"), not what homeward.yaml says',
  );
});

test('variables beat the profile', () => {
  const settings = temporalSettings({ profile: 'prod' }, { ...someProfiles(), TEMPORAL_ADDRESS: 'env:7233' });
  expect(settings).toMatchObject({ address: 'env:7233', namespace: 'dr', origin: 'TEMPORAL_ADDRESS' });
});

test('the namespace is told with its own origin, which need not be that of the address', () => {
  const settings = temporalSettings(
    { address: 'yaml:7233', namespace: 'dr' },
    { ...noProfiles(), TEMPORAL_NAMESPACE: 'nope' },
  );
  expect(settings).toMatchObject({ origin: 'homeward.yaml', namespace: 'nope', namespaceOrigin: 'TEMPORAL_NAMESPACE' });
  expect(settings.warning).toBe(
    'using Temporal at yaml:7233 (homeward.yaml), namespace nope (TEMPORAL_NAMESPACE), not what homeward.yaml says',
  );
});

test('an API key turns TLS on and is in no text', () => {
  const { connectionOptions, ...texts } = temporalSettings({ profile: 'prod' }, someProfiles());
  expect(connectionOptions?.tls).toBe(true);
  expect(JSON.stringify(texts)).not.toContain('hunter2');
});

test('a profile that is not there is refused with what to do', () => {
  expect(() => temporalSettings({ profile: 'nope' }, someProfiles())).toThrow(
    /the Temporal profile "nope" cannot be used/,
  );
});

test('a certificate of the profile that is not there is refused with its path', () => {
  const variables = { ...noProfiles(), TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'none.pem') };
  expect(() => temporalSettings({}, variables)).toThrow(
    /the Temporal profile "default" cannot be used: ENOENT.*none\.pem/,
  );
});

test('a profile file that holds nothing is refused in plain words', () => {
  const empty = join(folder, 'empty.toml');
  writeFileSync(empty, '');
  expect(() => temporalSettings({}, { TEMPORAL_CONFIG_FILE: empty })).toThrow(/its file holds no \[profile\.…\]/);
});
