/**
 * Finds the name that was probably meant, for "did you mean" hints.
 * Rule: it only suggests; nothing is ever corrected silently.
 */

/** How many letters must be added, dropped, changed or swapped with their neighbour to turn one word into the other. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The nearest of `known`, or undefined when none is near enough to be a slip of the finger. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const asked = word.toLowerCase();
  const near = known
    .map((name) => ({ name, away: distance(asked, name.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)[0];
  return near && near.away <= Math.max(1, Math.floor(word.length / 3)) ? near.name : undefined;
}
