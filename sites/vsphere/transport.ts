/**
 * One HTTPS connection pool to one vCenter. Trust comes from the system, a CA file, or one pinned certificate.
 * Rule: no byte of a request leaves before the certificate was accepted; every call ends by its time-out or its signal.
 * Never puts a body or a header into an error: they hold the password and the session.
 */
import type { TLSSocket } from 'node:tls';
import { Agent, buildConnector, request } from 'undici';
import { type Failure, refused, transient } from '../../model/failure.ts';
import { codeOf, nameOf, wordsOf } from './error-code.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** What is being done, for errors: the VIM method. */
  readonly op: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly setCookies: readonly string[];
  readonly body: string;
}

export interface Transport {
  exchange(call: Exchange): Promise<Answer>;
  close(): Promise<void>;
}

export interface Trust {
  /** PEM of the certificate authority. */
  readonly ca?: string | undefined;
  /** SHA-256 of the one certificate to accept, hex with or without colons. */
  readonly thumbprint?: string | undefined;
}

class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

const hex = (thumbprint: string): string => thumbprint.replaceAll(':', '').toLowerCase();

/**
 * With a pin the fingerprint decides instead of the chain, which a self-signed certificate does not have. The check is
 * not off: the fingerprint of every new connection is compared before a byte is written, which is stricter than a chain.
 * Accepts exactly one certificate. Session resumption is off, because a resumed session shows no certificate.
 */
function pinnedConnector(thumbprint: string): buildConnector.connector {
  const connect = buildConnector({ rejectUnauthorized: false, maxCachedSessions: 0 });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      const seen = hex((socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '');
      if (seen === hex(thumbprint)) return callback(null, socket);
      socket.destroy();
      callback(new CertificateRefused(`the server shows certificate ${seen || '(none)'}, not the pinned one`), null);
    });
}

const trustCodes = /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

function networkFailure(error: unknown, call: Exchange): Failure {
  const subject = new URL(call.url).host;
  if (error instanceof CertificateRefused || trustCodes.test(codeOf(error))) {
    const message = `the certificate of ${subject} is not trusted (${wordsOf(error)})`;
    return refused({ op: call.op, subject, message, hint: 'Set caFile or thumbprint of this site in the inventory.' });
  }
  const what =
    nameOf(error) === 'TimeoutError' ? `no answer within ${Math.round(call.timeoutMs / 1000)} s` : wordsOf(error);
  const message = `${call.op}: the connection to ${subject} failed: ${what}`;
  return transient({
    op: call.op,
    subject,
    message,
    hint: 'Check that the vCenter is up and reachable from this worker.',
  });
}

export function createTransport(trust: Trust): Transport {
  const connect = trust.thumbprint
    ? pinnedConnector(trust.thumbprint)
    : { ...(trust.ca && { ca: trust.ca }), timeout: 15_000 };
  const agent = new Agent({ connect, connections: 16, keepAliveTimeout: 10_000, headersTimeout: 0, bodyTimeout: 0 });
  return {
    async exchange(call) {
      call.signal.throwIfAborted();
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs)]);
      try {
        const answer = await request(call.url, {
          dispatcher: agent,
          method: call.method,
          headers: call.headers,
          signal,
          ...(call.body !== undefined && { body: call.body }),
        });
        const body = await answer.body.text();
        const cookies = answer.headers['set-cookie'];
        return {
          status: answer.statusCode,
          setCookies: typeof cookies === 'string' ? [cookies] : (cookies ?? []),
          body,
        };
      } catch (error) {
        // The caller's own wish to stop is not a failure of the network: its reason goes up as it is.
        call.signal.throwIfAborted();
        throw networkFailure(error, call);
      }
    },
    close: () => agent.destroy(),
  };
}
