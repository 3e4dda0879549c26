/**
 * The one place where the client opens a connection to Temporal, and where Temporal's errors become problems.
 * Rule: every call has a deadline, so that nobody waits before a silent prompt. Never retries by itself.
 */
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { defaultInventoryFile } from '../config/load.ts';
import { type TemporalSettings, temporalSettings } from '../config/temporal.ts';
import type { Inventory } from '../model/inventory.ts';
import { Problem } from './problem.ts';

/** What messages tell of where Temporal was looked for. */
type Place = Pick<TemporalSettings, 'address' | 'namespace' | 'origin' | 'namespaceOrigin' | 'connectionOptions'>;

/** `127.0.0.1:7233 (homeward.yaml)`; TLS is told where it is on, because a server without it stays silent. */
const placeText = ({ address, origin, connectionOptions }: Place): string =>
  `${address} (${origin}${connectionOptions?.tls ? ', with TLS' : ''})`;

/** For the CLI and the workers alike. */
export const noAnswer = (place: Place, why: string, cause?: unknown): Problem =>
  new Problem(
    'unreachable',
    `Temporal does not answer at ${placeText(place)}${why}`,
    'Start it, or say where it is: TEMPORAL_ADDRESS, a Temporal profile, or temporal.address in homeward.yaml.',
    cause,
  );

/** Where a person writes another one. */
const namespacePlace = ({ namespaceOrigin }: Place): string =>
  ['homeward.yaml', 'default'].includes(namespaceOrigin) ? 'temporal.namespace in homeward.yaml' : namespaceOrigin;

export const noNamespace = (place: Place, cause?: unknown): Problem =>
  new Problem(
    'unreachable',
    `Temporal at ${placeText(place)} has no namespace "${place.namespace}" (${place.namespaceOrigin})`,
    `Create it (temporal operator namespace create -n ${place.namespace}) or correct ${namespacePlace(place)}.`,
    cause,
  );

export interface Link {
  readonly client: Client;
  readonly settings: TemporalSettings;
  /** The inventory in use, for commands that people copy: they must not lead to another one. */
  readonly inventory: string;
  /** Runs calls to the server with a deadline from now, in milliseconds. */
  within<R>(timeoutMs: number, call: () => Promise<R>): Promise<R>;
  close(): Promise<void>;
}

/** A server that is up answers in milliseconds; someone waits at a prompt when it is not. */
export const connectTimeoutMs = 3_000;

/** Opens a connection. Throws a Problem `unreachable` that says which address was tried and where it comes from. */
export async function connect(
  section: Inventory['temporal'],
  timeoutMs = connectTimeoutMs,
  inventory = defaultInventoryFile,
): Promise<Link> {
  const settings = temporalSettings(section);
  try {
    const connection = await Connection.connect({
      ...(settings.connectionOptions as Parameters<typeof Connection.connect>[0]),
      connectTimeout: timeoutMs,
    });
    return link(connection, settings, inventory);
  } catch (cause) {
    throw noAnswer(settings, reason(cause), cause);
  }
}

/** A link over a connection that is open already, for tests and for programs that have one. */
export function link(connection: Connection, settings: TemporalSettings, inventory = defaultInventoryFile): Link {
  const client = new Client({ connection, namespace: settings.namespace });
  return {
    client,
    settings,
    inventory,
    within: (timeoutMs, call) => connection.withDeadline(Date.now() + timeoutMs, call),
    close: () => connection.close(),
  };
}

/** gRPC's own word for it, where it says more than "not there": certificates, keys, names. */
function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (!isGrpcServiceError(inner) || (inner.code as number) === grpcDeadlineExceeded) return '';
  return `: ${inner.details}`;
}

const grpcCancelled = 1;
const grpcDeadlineExceeded = 4;
const grpcNotFound = 5;
const grpcPermissionDenied = 7;
const grpcFailedPrecondition = 9;
const grpcUnimplemented = 12;
const grpcUnavailable = 14;
const grpcUnauthenticated = 16;

/**
 * Whether a query failed because no worker took it: when a worker was killed, client and server give up at about the same
 * time, each in its own word, and a server that has seen no worker for a while does not even wait.
 */
export function isUnanswered(error: unknown): boolean {
  const inner = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  const codes: readonly number[] = [grpcCancelled, grpcDeadlineExceeded, grpcFailedPrecondition];
  return isGrpcServiceError(inner) && codes.includes(inner.code);
}

/** Turns what a call to Temporal threw into a Problem, as far as it is known; anything else comes back as it was. */
export function asProblem(error: unknown, machine: string, settings: Place): unknown {
  if (error instanceof WorkflowNotFoundError) {
    const closed = /already completed/.test(error.message);
    return new Problem(
      'not-found',
      closed ? `the run of ${machine} has ended` : `Temporal knows no run of ${machine}`,
      closed ? `Look at it: homeward failback status ${machine}` : `Start one: homeward failback start ${machine}`,
      error,
    );
  }
  if (error instanceof NamespaceNotFoundError) return noNamespace(settings, error);
  const inner = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  if (!isGrpcServiceError(inner)) return error;
  const at = `Temporal at ${placeText(settings)}`;
  const code: number = inner.code;
  if (code === grpcDeadlineExceeded || code === grpcUnavailable)
    return new Problem(
      'unreachable',
      `${at} stopped answering`,
      'Try again; nothing is lost, runs go on by themselves.',
      error,
    );
  // An ingress or another server: it takes the connection, and knows none of the calls.
  if (code === grpcUnimplemented)
    return new Problem(
      'unreachable',
      `what answers at ${placeText(settings)} is not Temporal: ${inner.details}`,
      'Say where Temporal is: TEMPORAL_ADDRESS, a Temporal profile, or temporal.address in homeward.yaml.',
      error,
    );
  if (code === grpcPermissionDenied || code === grpcUnauthenticated)
    return new Problem(
      'unreachable',
      `${at} refuses this user: ${inner.details}`,
      'Check TEMPORAL_API_KEY or the certificate of the Temporal profile.',
      error,
    );
  if (code === grpcNotFound && /namespace/i.test(inner.details)) return noNamespace(settings, error);
  return error;
}
