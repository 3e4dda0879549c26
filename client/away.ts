/**
 * What a watcher says while Temporal is away, where nothing can be redrawn.
 * Rule: it is said at once, with the end too, and again every quarter of a minute: silence would look like a run in which
 * nothing happens.
 */
import { duration } from './render/figures.ts';
import type { Screen } from './screen.ts';

const againMs = 15_000;

/** What is said of it at `now`, away since `since`; both in epoch milliseconds. */
export const awayText = (why: string, since: number, now: number): string =>
  `${why}${now > since ? ` for ${duration(now - since)} by now` : ''}; looking again until it does`;

export class AwayLog {
  private since: number | undefined;
  private toldAt = 0;
  private readonly screen: Pick<Screen, 'note'>;
  private readonly clock: () => number;

  constructor(screen: Pick<Screen, 'note'>, clock: () => number) {
    this.screen = screen;
    this.clock = clock;
  }

  away(why: string): void {
    const now = this.clock();
    if (this.since !== undefined && now - this.toldAt < againMs) return;
    this.since ??= now;
    this.toldAt = now;
    this.screen.note(awayText(why, this.since, now));
  }

  back(): void {
    if (this.since !== undefined) this.screen.note('Temporal answers again');
    this.since = undefined;
  }
}
