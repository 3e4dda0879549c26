/**
 * Tells people that something is still going on when it takes longer than two seconds.
 * Rule: it speaks on stderr only, and not at all before two seconds; it never changes what is waited for.
 */
import { duration } from './render/figures.ts';

const firstWordMs = 2_000;
/** On a terminal the line is redrawn; in a log a line every ten seconds is enough. */
const redrawMs = 500;
const nextLineMs = 10_000;

interface Out {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Waits for `work`, saying `what` with the time it took so far; a function tells how far it is. Quiet when `quiet`. */
export async function withPatience<R>(
  what: string | (() => string),
  work: Promise<R>,
  quiet = false,
  out: Out = process.stderr,
): Promise<R> {
  if (quiet) return await work;
  const begun = Date.now();
  const redraws = out.isTTY === true;
  let said = false;
  const speak = () => {
    said = true;
    const text = `${typeof what === 'string' ? what : what()} … ${duration(Math.round((Date.now() - begun) / 1000) * 1000)}`;
    out.write(redraws ? `\r${text}\u001b[K` : `${text}\n`);
  };
  let interval: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    speak();
    interval = setInterval(speak, redraws ? redrawMs : nextLineMs);
  }, firstWordMs);
  try {
    return await work;
  } finally {
    clearTimeout(first);
    clearInterval(interval);
    if (said && redraws) out.write('\r\u001b[K');
  }
}
