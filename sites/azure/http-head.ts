/**
 * The head of an HTTP/1.1 answer, and how its body is framed (RFC 9112 §4–6).
 * Rule: what is not plainly well-formed is a broken answer, never guessed at. Pure.
 */

/** More than any service sends; a head that does not end is no head. */
export const longestHeadBytes = 32 * 1024;

/** An answer that is no HTTP/1.1; classified like any other broken connection. */
export class BadAnswer extends Error {
  readonly code = 'PARSE_ERROR';
}

export interface Head {
  readonly status: number;
  /** Whether the connection may carry another request afterwards. */
  readonly keepAlive: boolean;
  readonly framing: Framing;
  /** `name` in lower case. */
  header(name: string): string | undefined;
}

/** `close`: the body ends with the connection. */
export type Framing = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' | 'close' };

/** Reads the lines up to the empty one, without it. Throws `BadAnswer`. */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/.exec(first) ?? [];
  if (minor === undefined) throw new BadAnswer('the answer does not begin like HTTP/1.1');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') throw new BadAnswer('a header of the answer is malformed');
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const header = (name: string): string | undefined => headers.get(name);
  const said = header('connection')?.toLowerCase() ?? '';
  const status = Number(code);
  const framing = framingOf(status, header);
  const lasts = minor === '1' && !/\bclose\b/.test(said);
  // RFC 9112 §6.1: an answer with both lengths is an attempt to confuse; believe the coding, then hang up.
  const both = header('transfer-encoding') !== undefined && header('content-length') !== undefined;
  return { status, keepAlive: lasts && !both && framing.kind !== 'close', framing, header };
}

function framingOf(status: number, header: Head['header']): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  const coding = header('transfer-encoding')?.toLowerCase();
  if (coding === 'chunked') return { kind: 'chunked' };
  if (coding !== undefined) throw new BadAnswer('the answer is coded in a way nobody asked for');
  const said = header('content-length');
  if (said === undefined) return { kind: 'close' };
  // A proxy may repeat the header; repeated values must agree.
  const [length, ...others] = said.split(/, ?/);
  const bytes = Number(length);
  if (!/^\d{1,16}$/.test(length ?? '') || !Number.isSafeInteger(bytes) || others.some((other) => other !== length))
    throw new BadAnswer('the length of the answer makes no sense');
  return { kind: 'length', bytes };
}
