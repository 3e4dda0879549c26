/**
 * Reads JSON that people could have edited.
 * Rule: what cannot be parsed is `undefined`, for the caller's schema to refuse; it never throws and never guesses.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
