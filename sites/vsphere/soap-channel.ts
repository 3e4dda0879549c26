/**
 * One SOAP endpoint: encodes a call, sends it over our transport with the session's cookie, decodes the answer or the fault.
 * Rule: it keeps the cookie jar and the schema version, and knows nothing of logins or retries; every error is a `Failure`.
 * Never reads the package's shared "last request" fields: calls run side by side.
 */
import { XMLParser } from 'fast-xml-parser';
import { createClientAsync, type IHttpClient } from 'soap';
import { Failure, refused, transient } from '../../model/failure.ts';
import { failureOfFault, lostAnswer } from './failure.ts';
import { faultInRejection } from './fault.ts';
import type { Answer, Transport } from './transport.ts';
import { decodeReturned } from './wire/decode.ts';
import { encodeCall } from './wire/encode.ts';
import type { Arguments, MethodName, Ref, Returned } from './wire/shapes.ts';
import { writeWsdl } from './wire/wsdl.ts';

/** The newest schema our table was written against; an older server is spoken to in its own version. */
const ourVersion = '8.0.1.0';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The machine or path the call is about, for errors. */
  readonly subject: string;
}

export interface Channel {
  call<M extends MethodName>(method: M, on: Ref, args: Arguments<M>, options: CallOptions): Promise<Returned<M>>;
  /** The session's cookie as text; two calls with equal text belonged to the same session. */
  cookie(): string;
  forgetCookies(): void;
}

const compare = (one: string, other: string): number => {
  const [left, right] = [one, other].map((version) => version.split('.').map(Number));
  for (let at = 0; at < 4; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** The older of ours and the newest `urn:vim25` the server lists: too new a version fails on an old server. */
export function chooseVersion(versionsXml: string): string | undefined {
  const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'namespace' });
  const parsed: unknown = parser.parse(versionsXml);
  const namespaces = (parsed as { namespaces?: { namespace?: unknown } })?.namespaces?.namespace;
  if (!Array.isArray(namespaces)) return undefined;
  for (const one of namespaces as { name?: unknown; version?: unknown }[])
    if (one.name === 'urn:vim25' && typeof one.version === 'string')
      return compare(one.version, ourVersion) < 0 ? one.version : ourVersion;
  return undefined;
}

async function negotiate(transport: Transport, endpoint: string, options: CallOptions): Promise<string> {
  const { signal, timeoutMs } = options;
  const url = `${endpoint.replace(/\/$/, '')}/vimServiceVersions.xml`;
  const op = 'vimServiceVersions';
  const answer = await transport.exchange({ method: 'GET', url, op, headers: {}, timeoutMs, signal });
  if (answer.status >= 500) throw lostAnswer(op, new URL(url).host, `status ${answer.status}`);
  const version = answer.status === 200 ? chooseVersion(answer.body) : undefined;
  if (version !== undefined) return version;
  const message = `${url} does not answer as a vCenter does (status ${answer.status})`;
  throw refused({ op, subject: url, message, hint: 'Set the site’s url to the SDK endpoint, https://<vcenter>/sdk.' });
}

/** Everything that is neither an answer nor a SOAP fault, told by its status before the parser sees it. */
function notSoap(answer: Answer, op: string, subject: string): Failure | undefined {
  if (answer.status === 200 || (answer.status === 500 && answer.body.includes('Envelope'))) return undefined;
  const message = `${op} on ${subject}: HTTP status ${answer.status} instead of an answer`;
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408)
    return transient({
      op,
      subject,
      message,
      busy: answer.status === 429,
      hint: 'The vCenter is starting, busy, or behind a broken proxy: wait, then check it.',
    });
  return refused({ op, subject, message, hint: 'Check the site’s url and whether a proxy stands before the vCenter.' });
}

type SoapCallback = (error: unknown, response?: unknown, body?: unknown) => unknown;
type AsyncMethod = (args: unknown, options: unknown) => Promise<readonly unknown[]>;

class CookieJar {
  private readonly cookies = new Map<string, string>();

  take(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      // The value goes back exactly as it came: vCenter puts it in quotes and expects them.
      if (at > 0) this.cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
    }
  }
  text(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
  clear(): void {
    this.cookies.clear();
  }
}

function httpClientOn(transport: Transport, jar: CookieJar): IHttpClient {
  const exchange = async (
    url: string,
    body: string,
    headers: Record<string, string>,
    op: string,
    options: CallOptions,
  ): Promise<Answer> => {
    const cookie = jar.text();
    const sent = { ...headers, ...(cookie !== '' && { Cookie: cookie }) };
    const { timeoutMs, signal } = options;
    const answer = await transport.exchange({ method: 'POST', url, op, headers: sent, body, timeoutMs, signal });
    jar.take(answer.setCookies);
    const failure = notSoap(answer, op, options.subject);
    if (failure) throw failure;
    return answer;
  };
  const request = (
    url: string,
    body: string,
    callback: SoapCallback,
    headers: unknown,
    options: unknown,
  ): Promise<void> => {
    const given = options as CallOptions & { op: string };
    return exchange(url, body, headers as Record<string, string>, given.op, given).then(
      (answer) => void callback(null, { status: answer.status, headers: {} }, answer.body),
      (error: unknown) => void callback(error),
    );
  };
  return { request } as unknown as IHttpClient;
}

/** Opens the channel: asks the server for its version and builds the client from our own WSDL. */
export async function openChannel(transport: Transport, endpoint: string, options: CallOptions): Promise<Channel> {
  const version = await negotiate(transport, endpoint, options);
  const jar = new CookieJar();
  const client = await createClientAsync(writeWsdl(endpoint), { httpClient: httpClientOn(transport, jar), endpoint });
  client.setSOAPAction(`urn:vim25/${version}`);
  return {
    cookie: () => jar.text(),
    forgetCookies: () => jar.clear(),
    async call(method, on, args, callOptions) {
      const send = client[`${method}Async`] as AsyncMethod;
      const body = encodeCall(method, on, args as Readonly<Record<string, unknown>>);
      try {
        const [parsed] = await send.call(client, body, { ...callOptions, op: method });
        return decodeReturned(method, parsed) as never;
      } catch (error) {
        callOptions.signal.throwIfAborted();
        if (error instanceof Failure) throw error;
        const fault = faultInRejection(error);
        if (fault) throw failureOfFault(fault, method, callOptions.subject);
        // Not a failure of the wire and not a fault: XML that broke off. The package's own error is dropped, it repeats the request.
        throw lostAnswer(method, callOptions.subject, 'the answer broke off or is not SOAP');
      }
    },
  };
}
