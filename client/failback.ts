/**
 * Starts a failback: one run per machine, under the id that is the lock, with everything the Temporal UI shows of it.
 * Rule: never a second run of a machine; Temporal itself refuses it by the id (S1, S8).
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { wayOf } from '../model/creation.ts';
import {
  controlQueue,
  type FailbackInput,
  machineWorkflowId,
  memoNames,
  searchAttributeNames,
} from '../model/failback-input.ts';
import { asProblem, type Link } from './connect.ts';
import { measuredBefore } from './earlier.ts';
import { committedText, committedTodo } from './home-already.ts';
import { lastRun, phaseKey } from './last-run.ts';
import { Problem } from './problem.ts';
import { isOpen, type View } from './view.ts';

export const failbackWorkflow = 'failback';

const machineKey = defineSearchAttributeKey(searchAttributeNames.machine, 'KEYWORD');
const siteKey = defineSearchAttributeKey(searchAttributeNames.site, 'KEYWORD');
const needsHumanKey = defineSearchAttributeKey(searchAttributeNames.needsHuman, 'BOOL');

export interface StartedRun {
  readonly machine: string;
  readonly workflowId: string;
  readonly runId: string;
}

const startTimeoutMs = 10_000;
/** Temporal takes 400 bytes; the list shows fewer. */
const summaryLength = 200;

export const summaryOf = (input: FailbackInput): string =>
  clip(
    `${input.machine}: ${input.source.site} ${input.source.path} → ${input.target.site} ${input.target.path}`,
    summaryLength,
  );

const clip = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** Markdown for the tab User Metadata of the Temporal UI: what this is, and what to type. */
export function detailsOf(input: FailbackInput): string {
  const { source, target, policy, mover, create } = input;
  // As the law takes it: a placeholder says that the policy wants the digest, which nobody knows before the seal.
  const commit = policy.commitNeedsEvidence
    ? '`{"by":"you","evidence":"<evidence of the disks, from the current details>"}`'
    : '`{"by":"you"}`';
  return [
    `## ${input.machine} comes home`,
    `- from **${source.site}** \`${source.path}\``,
    `- to **${target.site}** \`${target.path}\`, ${create ? 'a new machine at an alternate location' : 'its original location'}`,
    `- through the mover **${mover.name}** at first; sync *${policy.sync}*, write *${wayOf(input)}*`,
    '',
    'Messages (Send a Signal, or Send an Update for a yes or no), one JSON object each:',
    '- `completeFailover` `{"by":"you"}`: stop the source, move the last changes, start at home',
    `- \`commit\` ${commit}: delete the source; no way back`,
    '- `cancel` `{"by":"you"}`: take everything back',
    '- `hold`, `resume` `{"by":"you"}` · `resolve` `{"by":"you","action":"retry"}`',
    '- `reassign` `{"by":"you","mover":"mover-2","path":"/DC0/vm/mover-2"}`: another mover carries it; a full copy',
  ].join('\n');
}

/** What may differ from the policy for one run. */
export interface RunOptions {
  readonly sync?: FailbackInput['policy']['sync'];
  readonly write?: FailbackInput['policy']['write'];
  /** Seconds. */
  readonly roundEvery?: number;
  /** Seconds; 0: no scrub. */
  readonly scrubEvery?: number;
  readonly reread?: boolean;
  /** Of a member of a group: it comes home without the others. */
  readonly alone?: boolean;
  /** An earlier run, whose staged disks at home may be deleted. */
  readonly discard?: string;
  /** Who starts it. */
  readonly by?: string;
  /** Why. */
  readonly note?: string;
}

/** The input with this run's options in place of the policy's. */
export function withOptions(input: FailbackInput, options: RunOptions): FailbackInput {
  const policy = {
    ...input.policy,
    ...(options.sync === undefined ? {} : { sync: options.sync }),
    ...(options.write === undefined ? {} : { write: options.write }),
    ...(options.roundEvery === undefined ? {} : { roundEverySeconds: options.roundEvery }),
    ...(options.scrubEvery === undefined ? {} : { scrubEverySeconds: options.scrubEvery }),
    ...(options.reread === undefined ? {} : { reread: options.reread }),
  };
  const group = input.group && options.alone ? { group: { ...input.group, alone: true as const } } : {};
  const { by, note, discard } = options;
  const startedBy = by === undefined ? {} : { startedBy: { by, ...(note === undefined ? {} : { note }) } };
  return { ...input, policy, ...group, ...startedBy, ...(discard === undefined ? {} : { discards: discard }) };
}

export interface StartOptions {
  /** Start it although the machine was committed home: it was failed over anew since. */
  readonly again?: boolean;
}

/**
 * Starts the run. Throws Problem `already-running` when the machine has one, `refused` when it is home already,
 * `unreachable` when Temporal is away.
 */
export async function startFailback(
  link: Link,
  input: FailbackInput,
  { again = false }: StartOptions = {},
): Promise<StartedRun> {
  const before = await lastRun(link, input.machine);
  if (before?.committed && !isOpen(before) && !again) throw homeAlready(input.machine, before.committed);
  const workflowId = machineWorkflowId(input.machine);
  const measured = await measuredBefore(link, input.machine);
  try {
    const handle = await link.within(startTimeoutMs, () =>
      link.client.workflow.start(failbackWorkflow, {
        workflowId,
        taskQueue: controlQueue,
        args: [measured ? { ...input, measured } : input],
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: machineKey, value: input.machine },
          { key: siteKey, value: input.source.site },
          { key: phaseKey, value: 'Preflight' },
          { key: needsHumanKey, value: false },
        ]),
        memo: {
          [memoNames.mover]: input.mover.name,
          ...(before?.committed ? { [memoNames.committed]: before.committed } : {}),
        },
        staticSummary: summaryOf(input),
        staticDetails: detailsOf(input),
      }),
    );
    return { machine: input.machine, workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    throw whyNotStarted(error, input.machine, link);
  }
}

const homeAlready = (machine: string, commit: NonNullable<View['committed']>): Problem =>
  new Problem('refused', `${machine} ${committedText(commit)}`, committedTodo(machine, commit));

function whyNotStarted(error: unknown, machine: string, link: Link): unknown {
  if (error instanceof WorkflowExecutionAlreadyStartedError)
    return new Problem(
      'already-running',
      `a run of ${machine} is under way`,
      `Look at it: homeward failback status ${machine}`,
      error,
    );
  const said = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  if (/search attribute/i.test(said))
    return new Problem(
      'refused',
      'the namespace lacks our search attributes',
      searchAttributeAdvice(link.settings.namespace),
      error,
    );
  return asProblem(error, machine, link.settings);
}

const searchAttributeAdvice = (namespace: string): string => {
  const { needsHuman, ...keywords } = searchAttributeNames;
  const names = Object.values(keywords).map((name) => `--name ${name} --type Keyword`);
  return `Run: temporal operator search-attribute create -n ${namespace} ${names.join(' ')} --name ${needsHuman} --type Bool`;
};
