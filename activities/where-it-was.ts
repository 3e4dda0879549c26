/**
 * What a copy tells until it is where the attempt before it was, so that a bar does not fall back because its mover was killed.
 * Rule: what that attempt told it had proven, and stands in the mover's record; so its figures hold until this one moves bytes
 * itself, or finds that the record is lost. From then on its own count, whatever they are.
 */
import type { TransferProgress } from '../model/progress.ts';
import type { ReportingWork } from './attempt.ts';

type Figures = Pick<TransferProgress, 'doneBytes' | 'totalBytes' | 'listedBytes' | 'fetchBytes'>;

/** What of an earlier attempt's last report says where it was; undefined where it told of no byte. */
function figuresIn(earlier: unknown): Figures | undefined {
  const { doneBytes = 0, totalBytes, listedBytes, fetchBytes } = (earlier ?? {}) as Partial<TransferProgress>;
  if (doneBytes === 0 || totalBytes === undefined) return undefined;
  return {
    ...{ doneBytes, totalBytes },
    ...(listedBytes === undefined ? {} : { listedBytes }),
    ...(fetchBytes === undefined ? {} : { fetchBytes }),
  };
}

/** For the very first beat, before anything is known of this attempt. */
export function whereItWas(earlier: unknown): object {
  const figures = figuresIn(earlier);
  const { disk } = (earlier ?? {}) as Partial<TransferProgress>;
  return figures && disk ? { disk, stage: 'waiting', bytesPerSecond: 0, epoch: 0, ...figures } : {};
}

/** The same work, whose beats carry the earlier attempt's figures as long as they hold, and what it waits for beside them. */
export interface GoingOn extends ReportingWork {
  /** Told where nothing of what was done before counts any more. */
  beginsAnew(): void;
}

export function fromWhereItWas(work: ReportingWork): GoingOn {
  let figures = figuresIn(work.earlier);
  let latest: object = whereItWas(work.earlier);
  const beat = (now: TransferProgress): void => {
    if (figures && (now.bytesPerSecond > 0 || now.doneBytes >= figures.doneBytes)) figures = undefined;
    latest = { ...now, ...figures };
    work.beat(latest);
  };
  return {
    ...work,
    beat: (now) => beat(now as TransferProgress),
    report: (now) => work.beat({ ...latest, now }),
    beginsAnew: () => {
      figures = undefined;
    },
  };
}
