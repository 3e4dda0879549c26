/**
 * The scrub beside the rounds: while the gate is open, the mover reads every target disk again, pass after pass.
 * Rule (S3): no round and no cutover waits for it; what it finds is told at once, and a damaged disk is copied in full.
 * One activity a pass and disk, which itself gives way to rounds: a scrub for each pause would fill the history.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskKey, OpenDisk, TransferProof } from '../model/machine.ts';
import { isNews, type ScrubReport, scrubsAfter, unscrubbed } from '../model/scrub.ts';
import { troubleOf } from './trouble.ts';
import { moverVerbs, summary } from './verbs.ts';

export interface ScrubbingPlan {
  readonly input: FailbackInput;
  readonly run: string;
  readonly open: readonly OpenDisk[];
  /** What was known before; a disk that is not in it was never scrubbed. */
  readonly known: readonly ScrubReport[];
  /** Hears each report that is news. */
  tell(report: ScrubReport): Promise<void>;
}

/** After a try that ended without an answer, in milliseconds. */
const tryAgainMs = 600_000;

export class Scrubbing {
  private readonly plan: ScrubbingPlan;
  private scope: CancellationScope | undefined;
  private running: Promise<unknown> = Promise.resolve();
  reports: readonly ScrubReport[];

  constructor(plan: ScrubbingPlan) {
    this.plan = plan;
    this.reports = plan.open.map(({ disk }) => plan.known.find((one) => one.disk === disk) ?? unscrubbed(disk));
  }

  /** Disks that must be copied in full before anything else counts. */
  get damaged(): DiskKey[] {
    return this.reports.filter((one) => one.damage !== undefined).map(({ disk }) => disk);
  }

  /** Begins, or goes on; nothing changes while it runs. */
  begin(): void {
    if (this.scope || this.plan.input.policy.scrubEverySeconds === 0) return;
    this.scope = new CancellationScope();
    this.running = this.scope.run(() => Promise.allSettled(this.plan.open.map((disk) => this.passAfterPass(disk))));
    // How it ended is in the reports; a cancel of the whole workflow is the rounds' business.
    this.running.catch(() => undefined);
  }

  /** Tells it to end and does not wait. */
  cancel(): void {
    this.scope?.cancel();
    this.scope = undefined;
  }

  /** Ends it; when this returns the mover has let go of the disks. */
  async stop(): Promise<void> {
    this.cancel();
    await Promise.allSettled([this.running]);
  }

  /** What a round has copied in full was read back, but not again since. */
  afterRound(proofs: readonly Pick<TransferProof, 'disk' | 'mode'>[]): void {
    this.reports = scrubsAfter(this.reports, proofs);
  }

  private reportOf(disk: DiskKey): ScrubReport {
    return this.reports.find((one) => one.disk === disk) ?? unscrubbed(disk);
  }

  private async passAfterPass(open: OpenDisk): Promise<void> {
    const { input, run, tell } = this.plan;
    for (;;) {
      await this.untilDue(open.disk);
      const { last, damages } = this.reportOf(open.disk);
      const after = last?.pass ?? 0;
      const about = { ...summary(`Scrub ${open.disk}, pass ${after + 1}`), priority: { priorityKey: 5 } };
      let report: ScrubReport;
      try {
        const order = { machine: input.machine, run, disk: open, after };
        const proof = await moverVerbs(input).scrubDisk.executeWithOptions(about, [order]);
        report = { disk: open.disk, damages, last: proof };
      } catch (error) {
        if (isCancellation(error)) throw error;
        report = failedReport(this.reportOf(open.disk), error);
      }
      const before = this.reportOf(open.disk);
      this.reports = this.reports.map((one) => (one.disk === open.disk ? report : one));
      if (isNews(before, report)) await tell(report);
    }
  }

  /** Until the next pass is due, or a round has changed what is known of the disk. */
  private async untilDue(disk: DiskKey): Promise<void> {
    const seen = this.reportOf(disk);
    const changed = (): boolean => this.reportOf(disk) !== seen;
    if (seen.damage !== undefined) return await condition(changed);
    const everyMs = this.plan.input.policy.scrubEverySeconds * 1000;
    const dueMs = seen.last ? Date.parse(seen.last.endedAt) + everyMs - Date.now() : 0;
    const waitMs = seen.problem === undefined ? dueMs : Math.min(everyMs, tryAgainMs);
    if (waitMs > 0) await condition(changed, waitMs);
  }
}

/**
 * Whatever is Corrupt (a finding, or a mover that no longer knows the disk) ends in a full copy, and better now than in
 * the cutover. Everything else only means that nothing is known yet.
 */
function failedReport(before: ScrubReport, error: unknown): ScrubReport {
  const { kind, message } = troubleOf(error, '');
  const { disk, damages, last } = before;
  if (kind === 'Corrupt') return { disk, damages: damages + 1, damage: message };
  return { disk, damages, ...(last ? { last } : {}), problem: `${kind}: ${message}` };
}
