/**
 * A clock that stands still until a test lets it run, so that rates are exact and no machine is too slow.
 */
import type { Clock } from '../../activities/token-bucket.ts';

export interface TestClock extends Clock {
  /** Runs `ms` on, with every timer in its turn, and lets promises settle after each. */
  run(ms: number): Promise<void>;
  /** Sets the clock on the wall to `at`, epoch ms, as a person or a time service does; the monotonic one goes on. */
  setWall(at: number): void;
}

export function testClock(startsAt: number): TestClock {
  let now = 0;
  let wallAtZero = startsAt;
  let timers: { readonly at: number; readonly act: () => void }[] = [];
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    monotonicMs: () => now,
    wallMs: () => wallAtZero + now,
    after(ms, act) {
      const timer = { at: now + ms, act };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    setWall(at) {
      wallAtZero = at - now;
    },
    async run(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers = timers.filter((one) => one !== next);
        now = Math.max(now, next.at);
        next.act();
      }
      now = end;
      await settle();
    },
  };
}
