/**
 * Draws what a run waits for by itself: for what, since when, until when.
 * Rule: it never sounds like a call for a person; the run asks again without one.
 */
import type { Awaited } from '../../model/check.ts';
import { clock, duration, since } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

export const awaitsText = ({ for: what, since: from, until }: Awaited, now: number): string => {
  const left = Date.parse(until) - now;
  const end = `until ${clock(until, now)}${left > 0 ? `, ${duration(left)} from now` : ''}`;
  return `Waits by itself for ${plain(what)}: since ${clock(from, now)} (${since(from, now)}), ${end}. Nobody needs to do anything.`;
};

export const awaitsLines = (awaits: Awaited | undefined, now: number, style: Style): string[] =>
  awaits
    ? wrap(awaitsText(awaits, now), style.width - 2, 2).map((line) => paint(style, 'yellow', `  ${line}`.trimEnd()))
    : [];
