/**
 * Draws the limits of movers: what holds now, by which rule, who set it, and until when.
 * Rule: a scope without rules is left out; a mover that did not answer is named as silent.
 */
import { type LimitRule, ruleText, scopeText } from '../../model/limit.ts';
import type { LimitsAnswer, ScopeAnswer } from '../../model/limits-order.ts';
import type { MoverOutcome } from '../limits.ts';
import { clock, rate } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

export const renderLimits = (outcomes: readonly MoverOutcome[], now: number, style: Style): string =>
  outcomes.flatMap((outcome) => moverLines(outcome, now, style)).join('\n');

function moverLines(outcome: MoverOutcome, now: number, style: Style): string[] {
  const name = paint(style, 'bold', plain(outcome.mover));
  if (!('answer' in outcome)) {
    const told = 'silent' in outcome ? outcome.silent : `refused: ${outcome.refused}`;
    // Its name begins the line already.
    const why = told.replace(`mover ${outcome.mover} `, '');
    return [`${name}  ${paint(style, 'yellow', plain(why))}`];
  }
  const { answer } = outcome;
  return [`${name}  ${nowText(answer, now)}`, ...answer.scopes.flatMap((scope) => scopeLines(scope, now, style))];
}

/** The lowest of all scopes; a scope of a source site limits only what comes from that site. */
function nowText(answer: LimitsAnswer, now: number): string {
  const limited = answer.scopes.filter((scope) => scope.bytesPerSecond !== undefined);
  const [lowest] = limited.sort((a, b) => (a.bytesPerSecond ?? 0) - (b.bytesPerSecond ?? 0));
  if (lowest?.bytesPerSecond === undefined) return 'no limit now';
  const until = lowest.until === undefined ? '' : `, until ${clock(lowest.until, now)}`;
  const cutover = answer.cutover === 'exempt' ? '; a cutover is exempt' : '';
  return `now at most ${rate(lowest.bytesPerSecond)} by ${plain(scopeText(lowest.scope))}${until}${cutover}`;
}

function scopeLines(scope: ScopeAnswer, now: number, style: Style): string[] {
  if (scope.rules.length === 0 && !scope.set) return [];
  const share = scope.sharedBy > 1 ? `, divided between ${scope.sharedBy} movers` : '';
  const by = scope.set ? `set by ${scope.set.by} at ${clock(scope.set.at, now)}` : 'from homeward.yaml';
  const note = scope.set?.note === undefined ? '' : ` (${scope.set.note})`;
  const head = `${scopeText(scope.scope)}, ${by}${note}${share}`;
  const narrower = style.width - 4;
  const lines = scope.rules.map((rule: LimitRule) => ruleText(rule));
  return [
    ...wrap(plain(head), style.width - 2, 2).map((line) => `  ${line}`),
    ...lines.flatMap((line) => wrap(plain(line), narrower, 2)).map((line) => `    ${line}`),
  ];
}
