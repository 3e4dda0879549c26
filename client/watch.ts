/**
 * Watches a run until it ends: redraws on a terminal, writes a line per change (or a JSON line) elsewhere.
 * Rule: watching never touches the run; Ctrl-C ends the watching and says so. A server that is away is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwayLog, awayText } from './away.ts';
import type { Link } from './connect.ts';
import { leave } from './leaving.ts';
import { LineLog } from './line-log.ts';
import { type ObserveOptions, observe } from './observe.ts';
import { exitCodes, Problem } from './problem.ts';
import { wrap } from './render/paint.ts';
import { renderStatus } from './render/status.ts';
import type { Screen } from './screen.ts';
import { isOpen, type View } from './view.ts';

const everyMs = 1_000;
const followEveryMs = 300;
/** While watching, a run that does not answer is shown as such soon and asked again. */
const queryTimeoutMs = 5_000;

/** What a watcher draws on; it remembers what it showed last. */
export interface Canvas {
  show(view: View): void;
  away(why: string): void;
  end(): void;
}

/** Draws until somebody left; what comes after that, while a lab closes under the run too, is nobody's news. */
export const untilLeft = (canvas: Canvas, left: AbortSignal): Canvas => ({
  show: (view) => void (left.aborted || canvas.show(view)),
  away: (why) => void (left.aborted || canvas.away(why)),
  end: () => canvas.end(),
});

/** Watches until the run is over and returns the last view. Throws Problem `not-found` when there is no run. */
export async function watch(link: Link, machine: string, screen: Screen, which: ObserveOptions): Promise<View> {
  const canvas = await openCanvas(screen);
  const left = new AbortController();
  const stop = () => {
    left.abort();
    canvas.end();
    screen.note(`watching ended; the run goes on. See it again: homeward failback status ${machine} --watch`);
    void leave(exitCodes.interrupted);
  };
  process.once('SIGINT', stop);
  const shown = untilLeft(canvas, left.signal);
  try {
    return await drawUntil(
      shown,
      everyMs,
      () => look(link, machine, shown, which),
      (view) => !isOpen(view) && !left.signal.aborted,
    );
  } finally {
    process.off('SIGINT', stop);
    canvas.end();
  }
}

/** Draws the run until `done` holds or the run is over; the last view. What happens on Ctrl-C is the caller's. */
export async function follow(
  link: Link,
  machine: string,
  canvas: Canvas,
  done: (view: View) => boolean,
): Promise<View> {
  try {
    const ended = (view: View): boolean => done(view) || !isOpen(view);
    return await drawUntil(canvas, followEveryMs, () => look(link, machine, canvas, {}), ended);
  } finally {
    canvas.end();
  }
}

async function drawUntil(
  canvas: Canvas,
  pauseMs: number,
  see: () => Promise<View | undefined>,
  done: (view: View) => boolean,
): Promise<View> {
  for (;;) {
    const view = await see();
    if (view) canvas.show(view);
    if (view && done(view)) return view;
    await sleep(pauseMs);
  }
}

/** One look; undefined when Temporal is away for the moment. */
async function look(link: Link, machine: string, canvas: Canvas, which: ObserveOptions): Promise<View | undefined> {
  try {
    return await observe(link, machine, { queryTimeoutMs, ...which });
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== 'unreachable') throw error;
    canvas.away(error.message);
    return undefined;
  }
}

async function redrawing(screen: Screen, clock: () => number): Promise<Canvas> {
  // Loaded here because only a terminal needs it.
  const { createLogUpdate } = await import('log-update');
  const draw = createLogUpdate(process.stdout);
  let last = '';
  let awaySince: number | undefined;
  const size = () => ({
    ...screen.style,
    width: Math.max(20, process.stdout.columns || 80),
    height: process.stdout.rows || 24,
  });
  return {
    show: (view) => {
      awaySince = undefined;
      last = screen.pasteable(renderStatus(view, Date.now(), size()));
      // The whole frame anew: the library's line-by-line update goes wrong when the number of lines changes.
      draw.clear();
      draw(`${last}\n`);
    },
    away: (why) => {
      awaySince ??= clock();
      draw(`${last}\n\n${wrap(awayText(why, awaySince, clock()), size().width).join('\n')}\n`);
    },
    end: () => draw.done(),
  };
}

/** Where a program reads along: every view that differs in anything but what lies ahead, which changes all the time. */
function jsonByJson(screen: Screen, clock: () => number): Canvas {
  const silence = new AwayLog(screen, clock);
  let last = '';
  return {
    show(view) {
      silence.back();
      const seen = JSON.stringify({ ...view, forecast: undefined, copy: undefined });
      if (seen !== last) screen.answer(() => seen, view);
      last = seen;
    },
    away: (why) => silence.away(why),
    end: () => undefined,
  };
}

function lineByLine(screen: Screen, clock: () => number): Canvas {
  const log = new LineLog();
  const silence = new AwayLog(screen, clock);
  return {
    show(view) {
      silence.back();
      for (const line of log.next(view, clock())) screen.answer(() => `${new Date().toISOString()} ${line}`, line);
    },
    away: (why) => silence.away(why),
    end: () => undefined,
  };
}

/** Redraws in place on a terminal; else writes lines, or JSON. */
export const openCanvas = async (screen: Screen, clock: () => number = Date.now): Promise<Canvas> => {
  if (screen.live) return await redrawing(screen, clock);
  return screen.json ? jsonByJson(screen, clock) : lineByLine(screen, clock);
};
