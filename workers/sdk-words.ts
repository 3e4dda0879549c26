/**
 * What the Temporal SDK says, in words for people: its core writes gRPC's troubles as a dump of its own types.
 * Rule: a text without such a dump stays as it is; of an error no stack and no cause is told, which may hold requests (S13).
 */
import { ApplicationFailure } from '@temporalio/common';

/** Where a dump begins; it lasts to the end of the text. */
const dump = /Status \{ |tonic::|code: '/;

/** The first that fits tells what a dump means. */
const meanings: readonly (readonly [sign: RegExp, words: string])[] = [
  [/ConnectionRefused/, 'nobody listens there'],
  [/"dns error"/, 'its name is not known here'],
  [/InvalidContentType|CorruptMessage/, 'what answers there speaks no TLS'],
  [/InvalidCertificate\((\w+)/, 'its certificate is not trusted'],
  [/Http2|http2/, 'what answers there is not Temporal'],
  [/TimedOut|Elapsed/, 'it does not answer in time'],
  [/tonic::/, 'the connection fails'],
];

export function inWords(text: string): string {
  const at = text.search(dump);
  if (at < 0) return text;
  const told = text.slice(at);
  const meaning = meanings.find(([sign]) => sign.test(told));
  const quoted = [...told.matchAll(/"([^"]+)"/g)].map(([, inner]) => inner);
  const code = /code: '?([A-Za-z ]+)/.exec(told)?.[1];
  if (!meaning) return `${text.slice(0, at)}${quoted[0] ?? 'it fails'}${code ? ` (${code})` : ''}`;
  const detail = meaning[0].exec(told)?.[1] ?? quoted.at(-1);
  return `${text.slice(0, at)}${meaning[1]}${detail ? ` (${detail})` : ''}`;
}

/** Of one of ours: its kind, what it says, and the operator's detail (activities/failure.ts). */
function errorTold(error: unknown): object {
  if (error instanceof ApplicationFailure) {
    const [detail] = error.details ?? [];
    return { error: `${error.type ?? error.name}: ${error.message}`, ...(typeof detail === 'object' ? detail : {}) };
  }
  return { error: inWords(error instanceof Error ? error.message : String(error)) };
}

/** The facts of a line of the SDK's log; an error in them would be printed as `{}`. */
export const toldMeta = ({ error, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...rest,
  ...(error === undefined ? {} : errorTold(error)),
});
