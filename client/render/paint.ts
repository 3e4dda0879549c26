/**
 * Colour, width and wrapping of text for a terminal.
 * Rule: text from outside is stripped of control characters before it is shown, so that nobody's note can move the
 * cursor or colour a lie; without colour (NO_COLOR, a pipe) every fact is still there in words.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

export interface Style {
  /** Columns of the terminal. */
  readonly width: number;
  /** Rows, when the picture must fit on the screen. */
  readonly height?: number;
  readonly color: boolean;
  /** Whether block characters and arrows can be shown; else plain ASCII. */
  readonly unicode: boolean;
}

export const plainStyle: Style = { width: 80, color: false, unicode: true };

interface Screen {
  readonly columns?: number | undefined;
  readonly isTTY?: boolean | undefined;
  hasColors?(): boolean;
}

/** The style of a stream. NO_COLOR and FORCE_COLOR are honoured; a pipe gets no colour. */
export function styleOf(stream: Screen, env: NodeJS.ProcessEnv = process.env): Style {
  const wanted = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const color =
    !env.NO_COLOR && env.TERM !== 'dumb' && (wanted || (stream.isTTY === true && stream.hasColors?.() === true));
  const ascii = env.TERM === 'dumb' || /^(C|POSIX)$/.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  return { width: Math.max(20, stream.columns || 80), color, unicode: !ascii };
}

type Colour = Parameters<typeof styleText>[0];

/** Colours text when the style has colours; the stream was asked already, so it is not asked again. */
export const paint = (style: Style, colour: Colour, text: string): string =>
  style.color ? styleText(colour, text, { validateStream: false }) : text;

/** One line of text from outside, safe to print. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
    .trim();

export const visibleLength = (text: string): number => [...stripVTControlCharacters(text)].length;

export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - visibleLength(text)));

/** Cuts uncoloured text to a width. */
export function clip(text: string, width: number, style: Style): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  return letters.slice(0, Math.max(0, width - 1)).join('') + (style.unicode ? '…' : '~');
}

/** Wraps uncoloured text at words; later lines are indented. A word longer than a line is broken. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  const room = Math.max(8, width);
  let line = '';
  const flush = () => {
    lines.push(line);
    line = ' '.repeat(indent);
  };
  const space = () => room - line.length - (line.trim() === '' ? 0 : 1);
  for (let word of text.split(' ').filter((part) => part !== '')) {
    if (word.length > space() && line.trim() !== '') flush();
    while (word.length > space() && space() > 0) {
      const taken = space();
      line += word.slice(0, taken);
      word = word.slice(taken);
      flush();
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line);
  return lines;
}
