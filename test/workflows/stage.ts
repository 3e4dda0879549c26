/**
 * A failback without a server: the real workflow in this process, whose steps are answered as in a recorded run, but for
 * those that a test answers itself. So a test can have things happen in one workflow task that seldom do.
 * Rule: what is told to the workflow is what Temporal would tell it, and nothing of ours is put in its place. A step that never
 * ended well when it was recorded waits for the test, too.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { setActivator } from '@temporalio/workflow/lib/global-attributes.js';
import { Activator } from '@temporalio/workflow/lib/internals.js';
import { tryUnblockConditions } from '@temporalio/workflow/lib/worker-interface.js';
import type { FailbackInput } from '../../model/failback-input.ts';
import type { MessageName } from '../../model/message.ts';
import type { RoundsStatus, Status } from '../../model/status.ts';
import { failback } from '../../workflows/failback.ts';
import { syncRounds } from '../../workflows/sync-rounds.ts';
import { type Payload, type Recorded, recorded } from './recorded.ts';

/** A step that waits for its answer. */
interface Pending {
  readonly seq: number;
  readonly activityType: string;
  readonly activityId: string;
  readonly scheduleToCloseTimeout?: Duration | null;
  readonly arguments?: readonly Payload[] | null;
  readonly retryPolicy?: { readonly maximumAttempts?: number | null } | null;
}
type Duration = { readonly seconds?: unknown; readonly nanos?: number | null };
/** One thing that Temporal tells the workflow. */
type Job = () => void;

export interface Stage {
  /** The steps that wait for an answer, by name. */
  pending(): string[];
  status(): Status;
  /** What the rounds tell, where they are what is played. */
  rounds(): RoundsStatus;
  /** What the rounds have told the failback, by the signals' names. */
  toldByRounds(): readonly (readonly [string, unknown])[];
  /** How long a pending step may take, all its tries together. */
  patienceMs(activityType: string): number;
  /** What a pending step was given. */
  given(activityType: string): unknown;
  /** How often a pending step is tried at most; 0: without end within its time. */
  triesOf(activityType: string): number;
  /** The answers of these steps and no others are the test's from now on. */
  mine(...activityTypes: string[]): void;
  said(name: MessageName, payload?: object): Job;
  /** The rounds tell something. */
  told(signalName: string, value: unknown): Job;
  /** A pending step ends: as it was recorded, with this value, or with this failure. */
  ended(activityType: string, as?: object | Error): Job;
  /** The timers of this length are over. */
  passed(ms: number): Job;
  /** All of it in one workflow task, in this order. */
  tell(...jobs: Job[]): Promise<void>;
}

// The SDK keeps on the global object whose workflow it is in.
afterAll(() => setActivator(undefined as unknown as Activator));

const runId = 'run-1';
/** The rounds' own workflow; a step like the others. */
const rounds = 'syncRounds';

/** Plays up to where nothing moves without the test. */
export const play = (name: string, ...mine: string[]): Promise<Stage> => playFrom(name, {}, ...mine);

/** The rounds' own workflow instead of the failback that has it as its child. */
export async function playRounds(name: string, ...mine: string[]): Promise<Stage> {
  const stage = new Playing(recorded(name), mine, syncRounds);
  await stage.begin();
  return stage;
}

/** The same from an input that differs from the recorded one. */
export async function playFrom(name: string, change: Partial<FailbackInput>, ...mine: string[]): Promise<Stage> {
  const script = recorded(name);
  const input = script.input.map((one) =>
    defaultPayloadConverter.toPayload({ ...defaultPayloadConverter.fromPayload<FailbackInput>(one), ...change }),
  );
  const stage = new Playing({ ...script, input: input as Payload[] }, mine);
  await stage.begin();
  return stage;
}

class Playing implements Stage {
  private readonly script: Recorded;
  private readonly activator: Activator;
  private own: readonly string[];
  private waiting: Pending[] = [];
  private readonly signals: [string, unknown][] = [];
  private timers: { readonly seq: number; readonly ms: number }[] = [];

  constructor(script: Recorded, own: readonly string[], workflow: unknown = failback) {
    this.script = script;
    this.own = own;
    const info = {
      ...{ workflowId: 'machine/one', workflowType: 'failback', runId, firstExecutionRunId: runId, attempt: 1 },
      ...(workflow === failback ? {} : { parent: { workflowId: 'machine/one', runId: 'parent-1' } }),
      ...{ namespace: 'default', taskQueue: 'control', unsafe: { now: Date.now, isReplaying: false } },
    };
    this.activator = new Activator({
      ...{ info, now: Date.now(), randomnessSeed: [1, 2, 3], sourceMap: {}, registeredActivityNames: new Set() },
      ...{ showStackTraceSources: false, stackTracesEnabled: false, getTimeOfDay: () => process.hrtime.bigint() },
    } as unknown as ConstructorParameters<typeof Activator>[0]);
    this.activator.workflow = workflow as never;
  }

  async begin(): Promise<void> {
    setActivator(this.activator);
    const started = { arguments: [...this.script.input] };
    this.activator.initializeWorkflow(started);
    await this.tell(() => this.activator.startWorkflow(started));
  }

  pending(): string[] {
    return this.waiting.map(({ activityType }) => activityType);
  }

  status(): Status {
    const asked = this.activator.queryHandlers.get('status')?.handler as () => Status;
    return asked();
  }

  rounds(): RoundsStatus {
    const asked = this.activator.queryHandlers.get('rounds')?.handler as () => RoundsStatus;
    return asked();
  }

  toldByRounds(): readonly (readonly [string, unknown])[] {
    return this.signals;
  }

  patienceMs(activityType: string): number {
    return msOf(this.waiting.find((one) => one.activityType === activityType)?.scheduleToCloseTimeout);
  }

  triesOf(activityType: string): number {
    return this.waiting.find((one) => one.activityType === activityType)?.retryPolicy?.maximumAttempts ?? 0;
  }

  given(activityType: string): unknown {
    const [input] = this.waiting.find((one) => one.activityType === activityType)?.arguments ?? [];
    return input && defaultPayloadConverter.fromPayload(input);
  }

  mine(...activityTypes: string[]): void {
    this.own = activityTypes;
  }

  said(name: MessageName, payload: object = {}): Job {
    return this.told(name, { by: 'ana', ...payload });
  }

  told(signalName: string, value: unknown): Job {
    return () => this.activator.signalWorkflow({ signalName, input: [defaultPayloadConverter.toPayload(value)] });
  }

  ended(activityType: string, as?: object | Error): Job {
    return this.ending(this.take(activityType), as);
  }

  passed(ms: number): Job {
    const over = this.timers.filter((one) => one.ms === ms);
    if (over.length === 0) throw new Error(`no timer of ${ms} ms runs`);
    this.timers = this.timers.filter((one) => one.ms !== ms);
    return () => {
      for (const { seq } of over) this.activator.fireTimer({ seq });
    };
  }

  private take(activityType: string): Pending {
    const step = this.waiting.find((one) => one.activityType === activityType);
    if (!step) throw new Error(`${activityType} is not pending; what is: ${this.pending().join(', ')}`);
    this.waiting = this.waiting.filter((one) => one !== step);
    return step;
  }

  private ending(step: Pending, as?: object | Error): Job {
    const { seq, activityType, activityId } = step;
    if (activityType === rounds) {
      const result = { completed: { ...(this.script.rounds ? { result: this.script.rounds } : {}) } };
      return () => this.activator.resolveChildWorkflowExecution({ seq, result });
    }
    if (as instanceof Error) {
      const failure = new ActivityFailure(as.message, activityType, activityId, 'NON_RETRYABLE_FAILURE', undefined, as);
      const told = { failure: defaultFailureConverter.errorToFailure(failure, defaultPayloadConverter) };
      const result = as instanceof CancelledFailure ? { cancelled: told } : { failed: told };
      return () => this.activator.resolveActivity({ seq, result });
    }
    const result = as ? defaultPayloadConverter.toPayload(as) : this.script.answer(activityType, activityId);
    if (!result) throw new Error(`no ${activityType} ended well when it was recorded`);
    return () => this.activator.resolveActivity({ seq, result: { completed: { result } } });
  }

  /** And the tasks that follow by themselves. */
  async tell(...jobs: readonly Job[]): Promise<void> {
    for (let now = jobs; now.length > 0; now = this.heard()) {
      for (const job of now) {
        job();
        tryUnblockConditions();
      }
      do await new Promise(setImmediate);
      while (tryUnblockConditions() > 0);
    }
  }

  /** What Temporal and the recorded run answer to the commands of the last task. */
  private heard(): Job[] {
    const { activator } = this;
    return activator.concludeActivation().commands.flatMap((command): Job[] => {
      const { scheduleActivity, requestCancelActivity, startChildWorkflowExecution, signalExternalWorkflowExecution } =
        command;
      this.heardTimer(command);
      if (scheduleActivity) return this.scheduled(scheduleActivity as Pending);
      if (requestCancelActivity) return this.cancelled(requestCancelActivity.seq);
      if (startChildWorkflowExecution) return this.roundsBegin(startChildWorkflowExecution);
      if (signalExternalWorkflowExecution) return this.roundsHear(signalExternalWorkflowExecution);
      if (command.failWorkflowExecution) throw new Error(JSON.stringify(command.failWorkflowExecution.failure));
      return [];
    });
  }

  private heardTimer({ startTimer, cancelTimer }: Command): void {
    if (startTimer) {
      this.timers.push({ seq: startTimer.seq ?? 0, ms: msOf(startTimer.startToFireTimeout) });
    }
    if (cancelTimer) this.timers = this.timers.filter(({ seq }) => seq !== cancelTimer.seq);
  }

  private scheduled(step: Pending): Job[] {
    const { activityType, activityId } = step;
    if (!this.own.includes(activityType) && this.script.knows(activityType, activityId)) return [this.ending(step)];
    this.waiting.push(step);
    return [];
  }

  private cancelled(seq: number | null | undefined): Job[] {
    const step = this.waiting.find((one) => one.seq === seq);
    return step ? [this.ending(this.take(step.activityType), new CancelledFailure('cancelled'))] : [];
  }

  /** They tell what was recorded, and end once they are told to finish. */
  private roundsBegin({ seq, input }: { seq?: number | null; input?: unknown[] | null }): Job[] {
    const { activator } = this;
    const step = { seq: seq ?? 0, activityType: rounds, activityId: rounds };
    const [asked] = (input ?? []) as Payload[];
    const { finish } = defaultPayloadConverter.fromPayload<{ finish: boolean }>(asked as Payload);
    const told = this.script.told.filter(({ signalName }) => ['seeded', 'points', 'scrubbed'].includes(signalName));
    const began: Job[] = [
      () => activator.resolveChildWorkflowExecutionStart({ seq: step.seq, succeeded: { runId: 'rounds-1' } }),
      ...told.map((one) => (): void => activator.signalWorkflow({ ...one, input: [...one.input] })),
    ];
    if (finish && !this.own.includes(rounds)) return [...began, this.ending(step)];
    this.waiting.push(step);
    return began;
  }

  private roundsHear({ seq, signalName, args }: SentSignal): Job[] {
    const [value] = (args ?? []) as Payload[];
    this.signals.push([signalName ?? '', value && defaultPayloadConverter.fromPayload(value)]);
    const heard: Job = () => this.activator.resolveSignalExternalWorkflow({ seq: seq ?? 0 });
    return signalName === 'finish' && !this.own.includes(rounds) ? [heard, this.ended(rounds)] : [heard];
  }
}

const msOf = (duration: Duration | null | undefined): number =>
  Number(duration?.seconds ?? 0) * 1000 + (duration?.nanos ?? 0) / 1_000_000;

interface SentSignal {
  readonly seq?: number | null;
  readonly signalName?: string | null;
  readonly args?: unknown[] | null;
}
type Command = ReturnType<Activator['concludeActivation']>['commands'][number];

export const refusedBy = (op: string, message: string, more: object = {}): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'Refused',
    message,
    nonRetryable: true,
    details: [{ op, subject: 'vm', hint: '', ...more }],
  });
