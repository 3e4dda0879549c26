/**
 * Looks at a machine over the network, as its users do: does a port take a connection, does a URL answer.
 * Rule: what the other side does is an answer with what was seen, never an error. Certificates are checked unless the probe
 * says acceptAnyCertificate. Never sends more than the request line and usual headers, never follows a redirect.
 */
import { createConnection } from 'node:net';
import { Agent, request } from 'undici';

interface Seen {
  readonly passed: boolean;
  readonly seen: string;
}

const codeOf = (error: unknown): string => {
  const { code, name, message } = error as NodeJS.ErrnoException;
  return code ?? (name === 'Error' ? message : name);
};

/** Whether something takes a connection there. Nothing is sent. */
export function lookAtPort(
  { host, port }: { readonly host: string; readonly port: number },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Seen> {
  const where = `${host}:${port}`;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = createConnection({ host, port });
    const end = (passed: boolean, seen: string): void => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve({ passed, seen });
    };
    const stop = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(timeoutMs, () => end(false, `no answer from ${where} within ${Math.round(timeoutMs)} ms`));
    socket.once('connect', () => end(true, `${where} takes connections`));
    socket.once('error', (error) => end(false, `${where}: ${codeOf(error)}`));
  });
}

/** Whether a GET of the URL answers with the status. */
export async function lookAtUrl(
  at: { readonly url: string; readonly status: number; readonly acceptAnyCertificate: boolean },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Seen> {
  signal.throwIfAborted();
  // S13: what is seen goes into the record, and a query may hold what is nobody's business there.
  const shown = at.url.replace(/[?#].*$/s, '');
  // `acceptAnyCertificate` of a probe in homeward.yaml is the only way to switch this check off.
  const connect = at.acceptAnyCertificate ? { rejectUnauthorized: false } : {};
  const dispatcher = new Agent({ connect: { ...connect, timeout: timeoutMs } });
  const unchecked = at.acceptAnyCertificate ? ', certificate not checked' : '';
  try {
    const answer = await request(at.url, {
      dispatcher,
      method: 'GET',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const { statusCode } = answer;
    await answer.body.dump();
    return { passed: statusCode === at.status, seen: `${shown} answers ${statusCode}${unchecked}` };
  } catch (error) {
    signal.throwIfAborted();
    return { passed: false, seen: `${shown}: ${codeOf(error)}` };
  } finally {
    await dispatcher.destroy();
  }
}
