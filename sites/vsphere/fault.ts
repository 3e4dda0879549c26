/**
 * A VIM fault as a value: its type and the few fields we act on.
 * Rule: faults are told apart by their type, never by their text. The text is kept for people only.
 * Never keeps the package's error: it holds the whole request, on Login with the password.
 */
import { decodeFault } from './wire/decode.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface VimFault {
  /** `NoPermission`, `TaskInProgress`… */
  readonly type: string;
  readonly text: string;
  /** TaskInProgress: the task that is in the way. */
  readonly task?: Ref;
  /** NoPermission: the privilege that is missing. */
  readonly privilegeId?: string;
  /** File faults: the datastore path. */
  readonly file?: string;
  /** MethodDisabled: who switched the method off. */
  readonly disabledBy?: string;
}

/** The cause kept on a `Failure`: small, safe to record, and enough to decide by. */
export class VimFaultError extends Error {
  override readonly name = 'VimFaultError';
  readonly fault: VimFault;

  constructor(fault: VimFault) {
    super(fault.text === '' ? fault.type : `${fault.type}: ${fault.text}`);
    this.fault = fault;
  }
}

type Parsed = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Parsed =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function textOf(value: unknown): string {
  if (isObject(value)) return typeof value.$value === 'string' ? value.$value : '';
  return typeof value === 'string' ? value : '';
}

/** Reads a decoded `MethodFault` of any subtype. */
export function faultOf(decoded: Parsed & { readonly $type?: string }, text: string): VimFault {
  const string = (name: string): string | undefined => (typeof decoded[name] === 'string' ? decoded[name] : undefined);
  const task = isObject(decoded.task) ? (decoded.task as unknown as Ref) : undefined;
  const privilegeId = string('privilegeId');
  const file = string('file');
  const disabledBy = string('source');
  return {
    type: decoded.$type ?? 'MethodFault',
    text,
    ...(task && { task }),
    ...(privilegeId !== undefined && { privilegeId }),
    ...(file !== undefined && { file }),
    ...(disabledBy !== undefined && { disabledBy }),
  };
}

export const localizedFault = (localized: Vim<'LocalizedMethodFault'>): VimFault =>
  faultOf(
    (localized.fault ?? { $type: 'MethodFault' }) as Parsed & { $type?: string },
    localized.localizedMessage ?? '',
  );

/** The fault inside what the `soap` package rejected with, if there is one. */
export function faultInRejection(rejection: unknown): VimFault | undefined {
  const root = isObject(rejection) ? rejection.root : undefined;
  const envelope = isObject(root) ? root.Envelope : undefined;
  const body = isObject(envelope) ? envelope.Body : undefined;
  const fault = isObject(body) ? body.Fault : undefined;
  if (!isObject(fault)) return undefined;
  const text = textOf(fault.faultstring);
  const child = isObject(fault.detail)
    ? Object.entries(fault.detail).find(([name]) => name !== 'attributes')
    : undefined;
  // A fault without detail comes from the SOAP layer: a method the server does not know, an envelope it cannot read.
  return child
    ? faultOf(decodeFault(child[0], child[1]), text)
    : { type: textOf(fault.faultcode).replace(/^.*:/, '') || 'Fault', text };
}
