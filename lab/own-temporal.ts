/**
 * Points this process, and what it starts, at the lab's own Temporal server.
 * Rule: an operator's TEMPORAL_* variables and profile never lead a lab to a real server.
 */
import type { TemporalServer } from './temporal.ts';

/** The variables a process of the lab gets instead of its operator's. */
export function pointAtLab(
  temporal: Pick<TemporalServer, 'address' | 'namespace'>,
  env: NodeJS.ProcessEnv = process.env,
): void {
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_')) delete env[name];
  env.TEMPORAL_ADDRESS = temporal.address;
  env.TEMPORAL_NAMESPACE = temporal.namespace;
  // A file that does not exist: the profile in the operator's home is not read.
  env.TEMPORAL_CONFIG_FILE = '/nonexistent/temporal.toml';
}
