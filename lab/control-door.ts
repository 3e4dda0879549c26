/**
 * The control doors of both simulators: what only the lab may ask of them and do to them, as JSON over loopback.
 * Rule: a no is an error with the door's own words, never an answer.
 */

/** A digest of a whole disk takes its time. */
const timeoutMs = 60_000;
const shownLetters = 2_000;

/** Asks, or with a body does something; the answer as JSON. */
export async function knock(
  url: string,
  body?: object,
  method: 'GET' | 'POST' | 'DELETE' = body === undefined ? 'GET' : 'POST',
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text.slice(0, shownLetters)}`);
  return JSON.parse(text);
}
