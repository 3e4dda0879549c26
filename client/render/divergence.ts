/**
 * Rounds that get nowhere, in words (L3): both rates, what it means, and what to do.
 * Rule: of a limit that held in those rounds it is said how to lift it; where none did, none is blamed.
 */
import { type Convergence, divergenceAdvice, divergenceTitle, liftCommand } from '../../model/convergence.ts';
import { rate } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

export const ratesText = ({ changedBytesPerSecond, movedBytesPerSecond }: Convergence): string =>
  `${rate(changedBytesPerSecond)} change, ${rate(movedBytesPerSecond)} are moved`;

/** Nothing while they get somewhere, or before it is known. */
export function divergenceLines(judged: Convergence | undefined, style: Style): string[] {
  const title = divergenceTitle(judged);
  if (!judged || !title) return [];
  const lift = liftCommand(judged);
  const text = `${title}: ${ratesText(judged)} (the last rounds together, up to round ${judged.round}). ${divergenceAdvice(judged)}`;
  return [
    ...wrap(plain(text), style.width - 2, 2).map((line) => paint(style, 'yellow', `  ${line}`)),
    ...(lift ? [`  Type: ${plain(lift)}  # or another rate than none`] : []),
  ];
}
