/**
 * What one disk's copy says while its bytes pass the limits: its progress with the limit that holds now, and a first forecast.
 * Rule: a limit that changes while the copy stands still for it is said within a second; people look right after they set one.
 */
import { bytesToFetch, forecastCopy } from '../model/forecast.ts';
import type { CopySaid, TransferProof } from '../model/machine.ts';
import type { ProgressLimit, TransferProgress } from '../model/progress.ts';
import type { ReportingWork } from './attempt.ts';
import type { Lane } from './pace.ts';

const lookEveryMs = 500;

/**
 * Each piece waits for its lane; the heartbeat says under which limit, also when the copy stands still for it. `told` is
 * what goes into the proof: the limit at the end, and the first forecast, so that it can be held against what became true.
 */
export function underLimits(lane: Lane, work: Pick<ReportingWork, 'beat'>) {
  const begun = performance.now();
  let latest: TransferProgress | undefined;
  let saidLimit: ProgressLimit | undefined;
  let forecast: CopySaid | undefined;
  const report = (progress: TransferProgress): void => {
    latest = progress;
    saidLimit = lane.limit();
    const whole = saidLimit ? limited(progress, saidLimit) : progress;
    forecast ??= said(whole, (performance.now() - begun) / 1000);
    work.beat(whole);
  };
  const look = (): void => {
    if (latest && !same(saidLimit, lane.limit())) report(latest);
  };
  const pace = async (bytes: number, signal: AbortSignal): Promise<void> => {
    const passed = lane.pace(bytes, signal);
    look();
    if (!lane.limit()?.holdsBack) return await passed;
    const looking = setInterval(look, lookEveryMs);
    try {
      await passed;
    } finally {
      clearInterval(looking);
    }
  };
  const told = (): Pick<TransferProof, 'limit' | 'forecast'> => {
    const { holdsBack, ...limit } = lane.limit() ?? {};
    return {
      ...('by' in limit ? { limit } : {}),
      ...(forecast ? { forecast } : {}),
    };
  };
  // R4: an exempt cutover is not held back, and what it will fetch is reckoned from the rounds, so they are planned as it is.
  const limitedTo = (): number | undefined => {
    const limit = lane.limit();
    return limit?.cutover === 'exempt' ? undefined : limit?.bytesPerSecond;
  };
  return { report, pace, limitedTo, told };
}

/** What a limit lets through at once is no pace: neither the first piece, nor what went before it was set. */
const limited = ({ sentPerSecond = 0, ...progress }: TransferProgress, limit: ProgressLimit): TransferProgress => ({
  ...progress,
  sentPerSecond: Math.min(sentPerSecond, limit.bytesPerSecond),
  limit,
});

const same = (one: ProgressLimit | undefined, other: ProgressLimit | undefined): boolean =>
  one?.bytesPerSecond === other?.bytesPerSecond && one?.by === other?.by && one?.holdsBack === other?.holdsBack;

/** The forecast once the list is read and the first bytes are proven; undefined before. */
function said(progress: TransferProgress, afterSeconds: number): CopySaid | undefined {
  const { stage, listedBytes, doneBytes } = progress;
  if (stage !== 'copying' || listedBytes === undefined || doneBytes === 0) return undefined;
  const seconds = forecastCopy([], [progress])?.seconds;
  if (!seconds) return undefined;
  const { likely, low, high } = seconds;
  const [total, lowest, highest] = [likely, low, high].map((left) => Math.round((afterSeconds + left) * 10) / 10);
  const saidAfterSeconds = Math.round(afterSeconds * 10) / 10;
  return {
    listedBytes: bytesToFetch(progress),
    saidAfterSeconds,
    seconds: total ?? 0,
    lowSeconds: lowest ?? 0,
    highSeconds: highest ?? 0,
  };
}
