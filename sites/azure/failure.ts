/**
 * Maps every answer of Azure we know to one of our six kinds, with a sentence on what to do.
 * Rule: one literal table; a code that is not in it is Refused, because repeating what we do not understand helps nobody.
 * A delta's base that does not fit has the op `lineage`, which asks for a full transfer (S9).
 * Never lets a SAS, a token or a query string through, and never keeps the SDK's error as cause: it holds requests (S13).
 */
import { Failure, type FailureKind } from '../../model/failure.ts';

type Row = readonly [status: number | '*', code: string, kind: FailureKind, hint: string];

const wait = 'Azure is busy or repairing itself: Homeward waits and tries again.';
const rights = 'Give Homeward’s identity the missing right on the resource group, then retry the same step.';
const unreachable =
  'The login server does not answer as one: check authority and caFile of this site and the network; Homeward tries again.';
const login = 'Check tenant, client id and secret of this site in the inventory, and that the identity is enabled.';
const gone = 'Look for it in the Azure portal: it was deleted, moved or renamed.';
const lineage = 'The snapshot a delta starts from does not fit: the disk needs a full round.';
const capacity = 'Azure has no capacity for this size there now: Homeward tries again; another size or zone may help.';
const lease = 'The grant on the snapshot ran out or was revoked: Homeward makes a new one.';
const certificate = 'The certificate is not trusted here: name its authority as caFile of this site.';

/** Status and code as Azure Resource Manager, Entra ID and the blob service send them; `*` stands for any. */
const table: readonly Row[] = [
  [401, '*', 'Refused', login],
  ['*', 'invalid_client', 'Refused', login],
  ['*', 'unauthorized_client', 'Refused', login],
  ['*', 'invalid_request', 'Refused', login],
  ['*', 'endpoints_resolution_error', 'Transient', unreachable],
  ['*', 'openid_config_error', 'Transient', unreachable],
  ['*', 'network_error', 'Transient', unreachable],
  ['*', 'CredentialUnavailableError', 'Refused', login],
  ['*', 'AggregateAuthenticationError', 'Refused', login],
  ['*', 'AuthenticationRequiredError', 'Refused', login],
  ['*', 'temporarily_unavailable', 'Transient', wait],
  [403, '*', 'Refused', rights],
  ['*', 'AuthorizationFailed', 'Refused', rights],
  ['*', 'LinkedAuthorizationFailed', 'Refused', rights],
  ['*', 'RequestDisallowedByPolicy', 'Refused', 'An Azure Policy forbids it: have this resource group exempted.'],
  ['*', 'ScopeLocked', 'Refused', 'A resource lock forbids it: remove the lock in the Azure portal, then retry.'],
  [404, '*', 'Refused', gone],
  ['*', 'SubscriptionNotFound', 'Refused', 'Check subscriptionId of this site, and that the identity may see it.'],
  ['*', 'QuotaExceeded', 'Refused', 'A quota of the subscription is used up: raise it or free some, then retry.'],
  ['*', 'OperationNotAllowed', 'Refused', 'Azure does not allow it in this state: its text names the reason.'],
  ['*', 'AttachDiskWhileBeingDetached', 'Transient', wait],
  ['*', 'AnotherOperationInProgress', 'Transient', 'Another operation runs on the resource: Homeward waits for it.'],
  ['*', 'Conflict', 'Transient', 'Another operation runs on the resource: Homeward waits for it.'],
  ['*', 'ConflictingUserInput', 'Refused', 'Azure found two wishes that exclude each other: its text names them.'],
  ['*', 'OperationPreempted', 'Transient', 'A newer operation took over: Homeward looks what became of it.'],
  ['*', 'Canceled', 'Transient', 'The operation was cancelled in Azure: Homeward looks what became of it.'],
  ['*', 'RetryableError', 'Transient', wait],
  ['*', 'InternalError', 'Transient', wait],
  ['*', 'InternalServerError', 'Transient', wait],
  ['*', 'InternalOperationError', 'Transient', wait],
  ['*', 'InternalExecutionError', 'Transient', wait],
  ['*', 'ServerBusy', 'Transient', wait],
  ['*', 'ServerTimeout', 'Transient', wait],
  ['*', 'OperationTimedOut', 'Transient', wait],
  ['*', 'TooManyRequests', 'Transient', wait],
  ['*', 'SubscriptionRequestsThrottled', 'Transient', wait],
  ['*', 'SnapshotCreationRateExceeded', 'Transient', 'Azure makes at most 7 snapshots of a disk in 5 minutes: wait.'],
  ['*', 'TooManySnapshotsInShortTime', 'Transient', 'Azure makes at most 7 snapshots of a disk in 5 minutes: wait.'],
  ['*', 'AllocationFailed', 'Transient', capacity],
  ['*', 'ZonalAllocationFailed', 'Transient', capacity],
  ['*', 'SkuNotAvailable', 'Transient', capacity],
  ['*', 'OverconstrainedAllocationRequest', 'Transient', capacity],
  ['*', 'NicReservedForAnotherVm', 'Transient', 'Azure holds a deleted machine’s NIC for three minutes: wait.'],
  ['*', 'NicInUse', 'Refused', 'The NIC belongs to a machine again: look at it in the Azure portal.'],
  ['*', 'PreviousSnapshotNotFound', 'Corrupt', lineage],
  ['*', 'PreviousSnapshotCannotBeNewer', 'Corrupt', lineage],
  ['*', 'PreviousSnapshotOperationNotSupported', 'Corrupt', lineage],
  ['*', 'SnapshotOperationRateExceeded', 'Transient', wait],
  [
    '*',
    'ActiveSasExists',
    'Transient',
    'Another attempt holds a grant on it: Homeward revokes it and makes a new one.',
  ],
  ['*', 'TooManyActiveSas', 'Transient', 'Five snapshots of this disk are open already: revoke what nobody needs.'],
  // Microsoft Learn, "Troubleshoot restore point failures".
  ['*', 'VMAgentStatusCommunicationError', 'Refused', 'The VM agent does not answer: look at it in the guest.'],
  ['*', 'VMRestorePointInternalError', 'Transient', wait],
  ['*', 'DiskRestorePointUsedByCustomer', 'Transient', 'A grant is open on the restore point: Homeward revokes it.'],
  ['*', 'PropertyChangeNotAllowed', 'Refused', 'What has this name was made of something else: look who made it.'],
  ['*', 'SnapshotsHaveDifferentFamilies', 'Corrupt', lineage],
  ['*', 'BlobOverwritten', 'Corrupt', lineage],
  ['*', 'ConditionNotMet', 'Corrupt', 'The snapshot’s content changed under us: the disk needs a full round.'],
  [412, '*', 'Corrupt', 'The snapshot’s content changed under us: the disk needs a full round.'],
  [403, 'AuthenticationFailed', 'Expired', lease],
  [403, 'AuthorizationPermissionMismatch', 'Expired', lease],
  [
    403,
    'AuthorizationFailure',
    'Refused',
    'A network rule of the disk refuses this mover: check its network access policy.',
  ],
  [408, '*', 'Transient', wait],
  [429, '*', 'Transient', wait],
  [500, '*', 'Transient', wait],
  [502, '*', 'Transient', wait],
  [503, '*', 'Transient', wait],
  [504, '*', 'Transient', wait],
  ['*', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'Refused', certificate],
  ['*', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'Refused', certificate],
  ['*', 'SELF_SIGNED_CERT_IN_CHAIN', 'Refused', certificate],
  ['*', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'Refused', certificate],
  ['*', 'CERT_HAS_EXPIRED', 'Refused', 'The server’s certificate has expired: have it renewed.'],
  ['*', 'ERR_TLS_CERT_ALTNAME_INVALID', 'Refused', 'The server’s certificate names another host: check the address.'],
];

/** Codes of Node, undici and the SDK for a connection that could not be made or did not last. */
const network =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|UND_ERR_|ERR_SSL_|ERR_STREAM_PREMATURE_CLOSE|REQUEST_SEND_ERROR|PARSE_ERROR|HPE_|HTTPParserError|post_request_failed|get_request_failed)/;
const networkHint = 'The connection to Azure broke: check the network if it stays; Homeward tries again.';

/** What Azure said, free of SDK classes. `status` is absent for a failed operation and for a broken connection. */
export interface Answer {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

/** Takes out whatever could open a door: query strings, tokens, signatures; escaped for an address or in JSON too. */
export const redact = (text: string): string =>
  text
    .replace(/(https?:\/\/[^\s"'<>?]*)\?[^\s"'<>]*/g, '$1?…')
    .replace(/\bBearer(?:\s|%(?:25)*20|\+)+\S+/gi, 'Bearer …')
    .replace(/(?:\b|(?<=%[0-9A-Fa-f]{2}))eyJ[\w-]+\.[\w-]+\.?[\w-]*/g, '…')
    .replace(/(sig|client_secret|access_token)(=|%(?:25)*3D|\\u003d)(?:(?!%(?:25)*26|\\u0026)[^&\s"'<>])*/gi, '$1$2…')
    .slice(0, 600);

const rowOf = (status: number | undefined, code: string): Row | undefined =>
  table.find(([s, c]) => s === status && c === code) ??
  table.find(([s, c]) => s === '*' && c === code) ??
  table.find(([s, c]) => s === status && c === '*');

/** The failure for an answer; `what` names the operation and what it was done to. */
export function answerFailure(what: { op: string; subject: string }, answer: Answer): Failure {
  const { status, code = '', retryAfterMs } = answer;
  const row = rowOf(status, code);
  const broken = row === undefined && network.test(code);
  const kind: FailureKind = row?.[2] ?? (broken ? 'Transient' : 'Refused');
  const hint = row?.[3] ?? (broken ? networkHint : 'Azure’s text says why; solve it in the Azure portal, then retry.');
  const head = status === undefined ? code || 'an error' : `${status}${code === '' ? '' : ` ${code}`}`;
  return new Failure(kind, {
    ...what,
    ...(hint === lineage ? { op: 'lineage' } : {}),
    hint,
    message: `${what.op} on ${what.subject}: ${redact(head)}: ${redact(answer.message)}`,
    ...(kind === 'Transient' && retryAfterMs !== undefined ? { retryAfterMs } : {}),
    ...(kind === 'Transient' && (status === 429 || status === 503) ? { busy: true } : {}),
  });
}

/** The failure for whatever the SDK, undici or Node threw. */
export function azureFailure(what: { op: string; subject: string }, error: unknown): Failure {
  return error instanceof Failure ? error : answerFailure(what, answerOf(error));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textIn = (value: unknown, key: string): string | undefined =>
  isRecord(value) && typeof value[key] === 'string' && value[key] !== '' ? value[key] : undefined;
const numberIn = (value: unknown, key: string): number | undefined =>
  isRecord(value) && typeof value[key] === 'number' ? value[key] : undefined;

/** Reads an error of any layer. Only names, codes, texts and the waiting time are taken from it. */
export function answerOf(error: unknown): Answer {
  if (!isRecord(error)) return { message: 'something that is no error was thrown' };
  const message = textIn(error, 'message') ?? 'no text';
  // The failed operation reaches us as a plain Error whose code stands only in its text (core-lro 3.3).
  const failed = /^The long-running operation has failed\. (\w+)\. ([\s\S]*)$/.exec(message);
  if (failed) return { code: failed[1], message: failed[2] ?? '' };
  if (message === 'Operation was canceled') return { code: 'Canceled', message };
  // The login library keeps the reason of a login that never reached Entra ID as the first word of its text.
  const unreached = /^(endpoints_resolution_error|openid_config_error|network_error)\b/.exec(message)?.[1];
  const headers = isRecord(error.response) ? error.response.headers : undefined;
  const entra = isRecord(error.errorResponse) ? textIn(error.errorResponse, 'error') : undefined;
  // The status of a refused login stands one cause below; a class name says less than it and counts only without it.
  const status = numberIn(error, 'statusCode') ?? numberIn(error.cause, 'status');
  const said = unreached ?? entra ?? textIn(error, 'code') ?? textIn(error, 'errorCode') ?? codeBelow(error.cause);
  const code = said ?? (status === undefined ? nameOf(error) : undefined);
  return { status, code, message, retryAfterMs: retryAfter(headerReader(headers)) };
}

const codeBelow = (cause: unknown): string | undefined =>
  isRecord(cause) ? (textIn(cause, 'code') ?? textIn(cause, 'errorCode') ?? codeBelow(cause.cause)) : undefined;
const nameOf = (error: Record<string, unknown>): string | undefined => {
  const name = textIn(error, 'name');
  return name === 'Error' || name === 'RestError' ? undefined : name;
};

type ReadHeader = (name: string) => string | undefined;
const headerReader = (headers: unknown): ReadHeader => {
  if (isRecord(headers) && typeof headers.get === 'function') {
    const get = headers.get.bind(headers) as (name: string) => unknown;
    return (name) => {
      const value = get(name);
      return typeof value === 'string' ? value : undefined;
    };
  }
  return (name) => textIn(headers, name);
};

/** Milliseconds to wait by `Retry-After` (seconds or an HTTP date) or Azure's own header; absent when not said. */
export function retryAfter(read: ReadHeader, nowMs = Date.now()): number | undefined {
  const exact = Number(read('x-ms-retry-after-ms') ?? read('retry-after-ms') ?? Number.NaN);
  if (exact >= 0) return exact;
  const said = read('retry-after')?.trim();
  if (said === undefined || said === '') return undefined;
  const seconds = Number(said);
  if (seconds >= 0) return Math.ceil(seconds * 1_000);
  const date = Date.parse(said);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
