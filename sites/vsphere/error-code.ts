/**
 * Reads the code and the words of an error that Node or a package threw.
 * Rule: by shape, not by class, because errors of another realm are no instances of our `Error`. Never throws itself.
 */
const partOf = (error: unknown, name: 'code' | 'name' | 'message'): string => {
  if (typeof error !== 'object' || error === null) return '';
  const value = (error as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
};

/** `ECONNRESET`, `ENOENT`…; empty when the error has none. */
export const codeOf = (error: unknown): string => partOf(error, 'code');
export const nameOf = (error: unknown): string => partOf(error, 'name');
export const wordsOf = (error: unknown): string =>
  codeOf(error) || partOf(error, 'message') || nameOf(error) || 'unknown error';
