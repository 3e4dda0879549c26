/**
 * The two streams of the command line: answers go to stdout, everything said on the way to stderr.
 * Rule: stdout carries only the answer (text, or one JSON value a line), so that it can be piped; never a secret (S13).
 */
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { pasteable } from './pasteable.ts';
import { exitCodes, explain, Problem } from './problem.ts';
import { paint, type Style, styleOf } from './render/paint.ts';
import { endWithReader } from './streams.ts';

export interface Screen {
  readonly json: boolean;
  readonly style: Style;
  /** A text with commands in it, so that they work when they are pasted. */
  pasteable(text: string): string;
  /** Whether the picture may be redrawn in place. */
  readonly live: boolean;
  /** Prints the answer; with `--json` the value, else the text. */
  answer(text: () => string, value: unknown): void;
  /** Says something on the way: stderr, so that pipes stay clean. */
  note(text: string): void;
  /** Asks on the terminal; undefined when there is no terminal to ask on. Throws Problem `interrupted` on Ctrl-C and Ctrl-D. */
  ask(question: string): Promise<string | undefined>;
}

/** `config`: the inventory as it was named on the command line. */
export function openScreen(json: boolean, config?: string): Screen {
  endWithReader();
  const typed = (text: string): string => pasteable(text, config);
  const style = styleOf(process.stdout);
  return {
    json,
    style,
    pasteable: typed,
    live: !json && canRedraw(process.stdout),
    answer: (text, value) => process.stdout.write(`${json ? JSON.stringify(value) : typed(text())}\n`),
    note: (text) => process.stderr.write(`${json ? JSON.stringify({ note: typed(text) }) : typed(text)}\n`),
    ask: askOnTerminal,
  };
}

/** A terminal without a size (some serial consoles, some recorders) cannot be redrawn. */
const canRedraw = (out: NodeJS.WriteStream): boolean =>
  out.isTTY === true && out.columns > 0 && out.rows > 0 && process.env.TERM !== 'dumb';

async function askOnTerminal(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // The question itself would reject with readline's own words on Ctrl-C, and never settle on Ctrl-D.
  const left = new Promise<never>((_, reject) => {
    const leave = (): void =>
      reject(new Problem('interrupted', 'nothing was sent: you left', 'Send it again when you are sure.'));
    lines.once('SIGINT', leave).once('close', leave);
  });
  try {
    return (await Promise.race([left, lines.question(question)])).trim();
  } finally {
    left.catch(() => undefined);
    lines.close();
  }
}

/** Who is typing, when nobody said it: `ana@ops-1`. */
export function whoTypes(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may run under a user id that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}

/** Tells an error on stderr (two lines, or one JSON object) and returns the exit code. */
export function report(error: unknown, json: boolean, config?: string): number {
  const { kind, what, todo: advice } = explain(error);
  const todo = pasteable(advice, config);
  const code = exitCodes[kind];
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, kind, what, todo } })}\n`);
  } else {
    const style = styleOf(process.stderr);
    process.stderr.write(`${paint(style, 'red', 'homeward:')} ${what}\n${paint(style, 'dim', '  do:')} ${todo}\n`);
  }
  if (process.env.HOMEWARD_DEBUG === '1') process.stderr.write(`${inspectError(error)}\n`);
  return code;
}

const inspectError = (error: unknown): string => {
  const lines: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) lines.push(inner.stack ?? inner.message);
  return lines.join('\ncaused by ');
};
