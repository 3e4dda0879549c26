/**
 * The look at whose disk it is, asked before every block: by all lanes of an attempt at once.
 * Rule: S8, an answer counts only for those who asked before its look began; they share it, so that many lanes cost no more
 * looks than one, and no two looks use the attempt's sector at the same time.
 */

/** Makes a fence of one look: it rejects with what the look rejects with. */
export function sharedFence(look: () => Promise<void>): () => Promise<void> {
  let looking: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    looking = look().finally(() => {
      // Where somebody waits already the next look begins right away.
      if (next === undefined) looking = undefined;
    });
    return looking;
  };
  return () => {
    if (looking === undefined) return begin();
    next ??= looking.then(begin, begin);
    return next;
  };
}
