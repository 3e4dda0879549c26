/**
 * Decides which lines a watcher writes where nothing can be redrawn: one for each thing that happened, and while bytes
 * move one every half minute, so that a log shows the way and not each step of it.
 * Rule: a line that says nothing new is never written.
 */
import { newsIn, renderLine, renderRefusal } from './render/line.ts';
import type { View } from './view.ts';

const heartbeatMs = 30_000;

export class LineLog {
  private readonly written = { news: '', text: '', at: Number.NEGATIVE_INFINITY, refusedAt: '' };
  private first = true;

  /** The lines to write for this view, at epoch milliseconds `now`. */
  next(view: View, now: number): string[] {
    const last = this.written;
    const lines: string[] = [];
    const [news, text] = [newsIn(view), renderLine(view)];
    if (news !== last.news || (text !== last.text && now - last.at >= heartbeatMs)) {
      Object.assign(last, { news, text, at: now });
      lines.push(text);
    }
    const refusedAt = view.status?.refusals.at(-1)?.at ?? '';
    const refusal = renderRefusal(view);
    // Refusals from before the watching are in the status; only new ones are news.
    if (refusal !== undefined && refusedAt !== last.refusedAt && !this.first) lines.push(refusal);
    if (view.status) last.refusedAt = refusedAt;
    this.first = false;
    return lines;
  }
}
