/**
 * The one place of a failback that holds its story: hears messages, enters phases, keeps the record, answers the status.
 * Rule: the story changes only through model/transition.ts; what people see (search attributes, details, query) follows it.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { EvidenceEntry } from '../model/evidence.ts';
import { type FailbackInput, memoNames, searchAttributeNames } from '../model/failback-input.ts';
import type { MoverPlace } from '../model/machine.ts';
import { type Message, type MessageName, messageMeaning, messageNames, parseMessage } from '../model/message.ts';
import { outageBegins, outageEnds } from '../model/outage.ts';
import { isFinal, type Phase } from '../model/phase.ts';
import { whyNoPoints } from '../model/point-policy.ts';
import { emptyBook, type RecordBook, write, writeTallies } from '../model/record-book.ts';
import type { Status } from '../model/status.ts';
import {
  beginStory,
  callOperator,
  type Decision,
  enter,
  goBack,
  hear,
  refuse,
  type Story,
  type Trouble,
} from '../model/transition.ts';
import { failbackDetails } from './details.ts';
import { lookAtMover } from './reassigning.ts';
import { type Findings, statusOf, type Wait, waitOf } from './status-of.ts';
import { listenForSteering, type Steered } from './steered.ts';

export const statusQuery = defineQuery<Status>('status');

/** What an update answers; refusals come as a RefusedMessage failure instead. */
export interface Heard {
  readonly accepted: true;
  readonly reason?: string;
  /** What has to come before anything happens. */
  readonly waits?: string;
  readonly phase: Phase;
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
export const attributes = {
  phase: keyword(searchAttributeNames.phase),
  machine: keyword(searchAttributeNames.machine),
  site: keyword(searchAttributeNames.site),
  needsHuman: defineSearchAttributeKey(searchAttributeNames.needsHuman, SearchAttributeType.BOOL),
};

/** How much is kept of a name that came from outside. */
const nameLimit = 60;

/** Looked up in the world before a message is heard: why it is refused, undefined when it is welcome. Never throws. */
type Look = (message: Message) => Promise<string | undefined>;

const isoNow = (): string => new Date().toISOString();

export class Teller {
  private readonly begun: FailbackInput;
  story: Story;
  /** What was observed and proven so far; the status shows it. */
  findings: Findings;
  private readonly steered: Steered;
  private book: RecordBook = emptyBook;
  private readonly startedAt = isoNow();
  private phaseSince = isoNow();
  /** What the search attributes last said; each upsert is an event, so only a change is sent. */
  private shown = '';
  /** The mover that the memo names; the client wrote the first one. */
  private shownMover: string;
  /** Called after each accepted message, so that the story can react at once. */
  onAccepted: (name: MessageName) => void = () => undefined;
  /** Why another point could not be taken home now; the arrival sets it. */
  lookBeforeChange: () => Promise<string | undefined> = async () => undefined;
  private readonly looks: Partial<Record<MessageName, Look>> = {
    reassign: (message) => lookAtMover({ input: this.input, run: this.story.run }, this.findings.pairs, message),
    changePoint: () => CancellationScope.nonCancellable(() => this.lookBeforeChange()),
  };

  constructor(input: FailbackInput) {
    this.begun = input;
    this.shownMover = input.mover.name;
    const { commitNeedsEvidence: needsEvidence, commit } = input.policy;
    const rules = { needsEvidence, people: commit.people };
    const noPoints = whyNoPoints(input.policy);
    const begun = beginStory(workflowInfo().firstExecutionRunId, input.mover, rules);
    this.story = noPoints === undefined ? begun : { ...begun, noPoints };
    this.findings = {
      checks: [],
      pairs: [],
      seals: [],
      leftOut: [],
      ...(input.measured ? { measured: input.measured } : {}),
    };
    for (const name of messageNames) this.listenFor(name);
    this.steered = listenForSteering(() => this.find({ paused: this.steered.paused() }));
    setDefaultSignalHandler((name) => this.refuseUnknown(name));
    setHandler(statusQuery, () => this.status(), { description: 'How the run stands and what it waits for.' });
    this.publish();
  }

  /** What the run was started with, and the mover that carries it now. */
  get input(): FailbackInput {
    return { ...this.begun, mover: this.story.mover };
  }

  /** One signal (durable mailbox) and one update (yes or no at once) of the same name feed the same reducer. */
  private listenFor(name: MessageName): void {
    const description = messageMeaning[name];
    const look = this.looks[name];
    setHandler(
      defineSignal<[unknown]>(name),
      look
        ? (payload) => this.lookThenHear(name, payload, look).then(() => undefined)
        : (payload) => void this.hear(name, payload),
      { description },
    );
    setHandler(
      defineUpdate<Heard, [unknown]>(name),
      look
        ? (payload) => this.lookThenHear(name, payload, look).then((answer) => this.said(name, answer))
        : (payload) => this.said(name, this.hear(name, payload)),
      {
        description,
        validator: (payload) => {
          const parsed = parseMessage(name, payload);
          if ('problem' in parsed) throw refusal(name, parsed.problem);
        },
      },
    );
  }

  private said(name: MessageName, answer: Omit<Decision, 'story'>): Heard {
    if (!answer.accepted) throw refusal(name, answer.reason);
    return { ...answer, accepted: true, phase: this.story.phase };
  }

  /** What the law refuses, or knows, needs no look; what it would take is heard after the look, by the law of that moment. */
  private async lookThenHear(name: MessageName, payload: unknown, look: Look): Promise<Omit<Decision, 'story'>> {
    const parsed = parseMessage(name, payload);
    if ('message' in parsed) {
      const { message } = parsed;
      const { accepted, reason: known } = hear(this.story, message, isoNow());
      const reason = accepted && known === undefined ? await look(message) : undefined;
      if (reason !== undefined) {
        this.amend((story) => refuse(story, name, message.by, isoNow(), reason));
        return { accepted: false, reason };
      }
    }
    return this.hear(name, payload);
  }

  /** Hears one message from outside. A refused one changes nothing but the list of refusals (S7). */
  hear(name: MessageName, payload: unknown): Omit<Decision, 'story'> {
    const parsed = parseMessage(name, payload);
    if ('problem' in parsed) {
      this.story = refuse(this.story, name, 'unknown', isoNow(), parsed.problem);
      this.publish();
      return { accepted: false, reason: parsed.problem };
    }
    const carrier = this.story.mover;
    const { story, ...decision } = hear(this.story, parsed.message, isoNow());
    this.story = story;
    if (decision.accepted && decision.reason === undefined) {
      this.record(`${name}-accepted`, `${parsed.message.by} said ${name}`, {
        by: parsed.message.by,
        phase: this.story.phase,
        ...wordsOf(parsed.message),
      });
      if (story.mover !== carrier) this.recordReassigned(carrier, parsed.message.by);
      this.onAccepted(name);
    }
    this.publish();
    return decision;
  }

  /** A misspelt signal: Temporal acknowledges it, so only the list of refusals can tell that it did nothing. */
  private refuseUnknown(name: string): void {
    const known = messageNames.join(', ');
    const reason = `no message is called so; there are ${known}`;
    this.story = refuse(this.story, name.slice(0, nameLimit), 'unknown', isoNow(), reason);
    this.publish();
  }

  enter(phase: Phase): void {
    if (isFinal(phase)) this.book = writeTallies(this.book, isoNow());
    this.move(enter(this.story, phase));
  }

  callOperator(trouble: Trouble): void {
    this.record('operator-called', trouble.message, { kind: trouble.kind, op: trouble.op, phase: this.story.phase });
    this.move(callOperator(this.story, trouble));
  }

  goBack(): void {
    this.move(goBack(this.story));
  }

  /** Applies a pure change of the story that is no message and no phase, and shows it. */
  amend(change: (story: Story) => Story): void {
    this.story = change(this.story);
    this.publish();
  }

  find(found: Partial<Findings>): void {
    this.findings = { ...this.findings, ...found };
    this.publish();
  }

  outageBegins(at: string): void {
    this.find(outageBegins(this.findings, at));
  }

  outageEnds(): void {
    this.find(outageEnds(this.findings, isoNow()));
  }

  /** S12: one entry for each effect, before the next effect; what recurs without end is counted beyond a bound. */
  record(key: string, what: string, facts: EvidenceEntry['facts'] = {}): void {
    this.book = write(this.book, { at: isoNow(), key, what, facts });
  }

  recordReassigned(from: MoverPlace, by: string): void {
    const { name } = this.story.mover;
    this.record('mover-reassigned', `${name} carries the machine from now on, nothing of it hangs on ${from.name}`, {
      from: from.name,
      to: name,
      by,
    });
  }

  status(): Status {
    return statusOf(this.begun, this.story, this.findings, this.book.chain, {
      startedAt: this.startedAt,
      phaseSince: this.phaseSince,
    });
  }

  /** What the run waits for a person to say; undefined while it works by itself. */
  waits(): Wait | undefined {
    return waitOf(this.story);
  }

  private move(story: Story): void {
    this.story = story;
    this.steered.forget();
    this.findings = { ...this.findings, paused: [] };
    this.phaseSince = isoNow();
    this.publish();
  }

  private publish(): void {
    const status = this.status();
    setCurrentDetails(failbackDetails(status));
    this.showMover();
    const needsHuman = status.waitsFor !== undefined;
    const shown = `${status.phase} ${needsHuman}`;
    if (shown === this.shown) return;
    this.shown = shown;
    upsertSearchAttributes([
      { key: attributes.phase, value: status.phase },
      { key: attributes.machine, value: this.input.machine },
      { key: attributes.site, value: this.input.source.site },
      { key: attributes.needsHuman, value: needsHuman },
    ]);
  }

  private showMover(): void {
    const { name } = this.story.mover;
    if (name === this.shownMover) return;
    this.shownMover = name;
    upsertMemo({ [memoNames.mover]: name });
  }
}

/** What a person chose and why, beside who it was. */
const wordsOf = ({ mover, action, since, acceptLoss, note, point }: Message): EvidenceEntry['facts'] =>
  Object.fromEntries(
    Object.entries({ mover, action, since, acceptLoss, note, point }).flatMap(([word, said]) =>
      said === undefined ? [] : [[word, said]],
    ),
  );

const refusal = (name: MessageName, reason: string | undefined): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`${name} refused: ${reason ?? 'no reason was given'}`, 'RefusedMessage');
