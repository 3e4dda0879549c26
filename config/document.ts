/**
 * Reads YAML and remembers where everything stands, so that every problem can be told with its line.
 * Rule: the parser's own messages are never shown, because some of them quote the file, and the file may hold a
 * secret by mistake (S13); the table below says the same without quoting.
 */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';

export type KeyPath = readonly string[];

export interface Fault {
  readonly path: KeyPath;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface ReadDocument {
  /** Plain data; undefined when there are faults. */
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** Where the value at this path stands, or its key; the nearest ancestor when it is not there. */
  place(path: KeyPath, of: 'key' | 'value'): { line: number; column: number };
}

const messages: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias (*name) that cannot be used here; put text that starts with * in quotes',
  BAD_DQ_ESCAPE: 'a backslash that means nothing in double quotes; use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'text may not start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line, or a missing line break',
  BLOCK_IN_FLOW: 'an indented block inside { } or [ ]',
  DUPLICATE_KEY: 'this key stands here twice; keep one',
  MISSING_CHAR: 'a character is missing: a colon, a comma, a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key runs over several lines; is a colon missing, or a quote not closed?',
  MULTIPLE_DOCS: 'more than one document (---) in the file; keep one',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag (!name); put text that starts with ! in quotes',
  UNEXPECTED_TOKEN: 'something unexpected; look for a missing quote, colon or bracket here',
};

const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key));

/** The key path of the deepest pair that begins at or before the offset. */
function pathAt(document: Document, offset: number): string[] {
  let found: string[] = [];
  visit(document, {
    Pair(_, pair, ancestors) {
      const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      if (start === undefined || start > offset) return;
      found = [...ancestors.filter(isPair).map((above) => keyText(above.key)), keyText(pair.key)];
    },
  });
  return found;
}

/** Aliases whose anchor is missing; YAML itself notices them only when the value is asked for, and quotes them. */
function danglingAliases(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias(_, alias) {
      if (!alias.resolve(document)) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function findPlace(document: Document, path: KeyPath, of: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [index, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    let keyOffset: number | undefined;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === segment);
      next = pair?.value;
      keyOffset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
      if (!pair) return offset;
    } else if (isSeq(node)) next = node.items[Number(segment)];
    if (keyOffset !== undefined) offset = keyOffset;
    const valueOffset = (next as { range?: readonly number[] } | null | undefined)?.range?.[0];
    const last = index === path.length - 1;
    if (last && of === 'value' && valueOffset !== undefined) return valueOffset;
    if (next === undefined || next === null) return offset;
    if (keyOffset === undefined && valueOffset !== undefined) offset = valueOffset;
    node = next;
  }
  return offset;
}

/** Parses one YAML document. Never throws for what the text says; the faults tell it. */
export function readDocument(text: string): ReadDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(Math.max(offset, 0), text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const fault = (offset: number, message: string): Fault => ({
    path: pathAt(document, offset),
    ...at(offset),
    message,
  });
  const faults = [...document.errors, ...document.warnings].map((error) =>
    fault(error.pos[0], messages[error.code] ?? `this is not valid YAML (${error.code})`),
  );
  for (const offset of danglingAliases(document)) faults.push(fault(offset, messages.BAD_ALIAS ?? ''));
  let value: unknown;
  if (faults.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      if (!(cause instanceof ReferenceError)) throw cause;
      faults.push(fault(0, 'aliases (*name) are used too often; write the values out'));
    }
  }
  return { value, faults, place: (path, of) => at(findPlace(document, path, of)) };
}
