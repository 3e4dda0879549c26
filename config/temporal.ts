/**
 * How to reach Temporal, for the CLI and for every worker alike, by Temporal's own environment configuration.
 * Precedence, strongest first: TEMPORAL_* variables; the Temporal profile file; `temporal:` in homeward.yaml; Temporal's
 * defaults (localhost:7233, namespace default). TEMPORAL_PROFILE beats `temporal.profile`.
 * Rule: the API key and certificates stay in the options; they are never part of a message (S13).
 */
import { type ClientConfigProfile, loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { refused } from '../model/failure.ts';
import type { Inventory } from '../model/inventory.ts';

type ConnectionOptions = ReturnType<typeof toClientOptions>['connectionOptions'];

export interface TemporalSettings {
  /** For `Connection.connect` and `NativeConnection.connect` alike. */
  readonly connectionOptions: ConnectionOptions;
  readonly address: string;
  readonly namespace: string;
  /** Where the address comes from, for people: `TEMPORAL_ADDRESS`, `the Temporal profile "prod"`, `homeward.yaml`, `default`. */
  readonly origin: string;
  /** Where the namespace comes from, in the same words. */
  readonly namespaceOrigin: string;
  /** Set when the inventory names another server than the one that is used. */
  readonly warning?: string;
}

export const defaultAddress = 'localhost:7233';

/** Settings for one process. Throws a Refused failure when the Temporal profile cannot be read. */
export function temporalSettings(
  section: Inventory['temporal'],
  env: Readonly<Record<string, string | undefined>> = process.env,
): TemporalSettings {
  const profileName = env.TEMPORAL_PROFILE || section.profile;
  const profile = usable(profileName, () => readProfile(profileName, env));
  const address = profile.address ?? section.address ?? defaultAddress;
  const namespace = profile.namespace ?? section.namespace ?? 'default';
  const from = originOf(profileName);
  const origin = from(['TEMPORAL_ADDRESS', env.TEMPORAL_ADDRESS], profile.address, section.address);
  const namespaceOrigin = from(['TEMPORAL_NAMESPACE', env.TEMPORAL_NAMESPACE], profile.namespace, section.namespace);
  const used =
    origin === namespaceOrigin
      ? `${address}, namespace ${namespace} (${origin})`
      : `${address} (${origin}), namespace ${namespace} (${namespaceOrigin})`;
  if (/[/\s]/.test(address))
    throw refused({
      op: 'find Temporal',
      subject: address,
      message: `the address of Temporal "${address}" (${origin}) is no host:port`,
      hint: 'Write host:port, without https:// or a path.',
    });
  // Here the certificates are read that the profile names.
  const { connectionOptions } = usable(profileName, () => toClientOptions({ ...profile, address, namespace }));
  const overruled = (said: string | undefined, used: string) => said !== undefined && said !== used;
  const differs = overruled(section.address, address) || overruled(section.namespace, namespace);
  return {
    connectionOptions,
    address,
    namespace,
    origin,
    namespaceOrigin,
    ...(differs ? { warning: `using Temporal at ${used}, not what homeward.yaml says` } : {}),
  };
}

function readProfile(name: string | undefined, env: Readonly<Record<string, string | undefined>>): ClientConfigProfile {
  const variables = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
  return loadClientConfigProfile({ overrideEnvVars: variables, ...(name ? { profile: name } : {}) });
}

/** Throws a Refused failure for whatever the profile library throws. */
function usable<T>(name: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    // The parser quotes the file in its message, and the file may hold an API key; only the first line is shown.
    const said = (cause as Partial<Error>).message?.split('\n')[0] ?? '';
    // The library trips over a file without any section.
    const why = said.startsWith('Cannot read properties of undefined') ? 'its file holds no [profile.…]' : said;
    throw refused({
      op: 'read the Temporal profile',
      subject: name ?? 'default',
      message: `the Temporal profile "${name ?? 'default'}" cannot be used: ${why}`,
      hint: 'Look at it with "temporal config list" and at the TEMPORAL_* variables, or unset TEMPORAL_PROFILE and temporal.profile.',
      cause,
    });
  }
}

/** Names the strongest of the places that say it. */
const originOf =
  (profileName: string | undefined) =>
  (variable: readonly [name: string, value: string | undefined], profile?: string, section?: string): string => {
    const [name, value] = variable;
    if (value) return name;
    if (profile !== undefined) return `the Temporal profile "${profileName ?? 'default'}"`;
    return section === undefined ? 'default' : 'homeward.yaml';
  };
