/**
 * The lab's witness: both simulators tell it every completed effect and wait; it looks at both worlds and judges.
 * Rule: one effect at a time, in the order they arrive; a look that fails is itself a violation, never a silence.
 * Never changes anything in a world, and never answers a simulator with a refusal: it observes.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type Deed, deedOf } from './deed.ts';
import { type Ending, endFindings } from './end-check.ts';
import { type Evidence, invariants } from './invariants.ts';
import { type Comparison, freshMemory, learnDeed, learnOpen, type Memory } from './memory.ts';
import { type Effect, effectWords, type Violation, type WatchedMachine, type WorldView } from './view.ts';

export interface WitnessPlan {
  readonly machines: readonly WatchedMachine[];
  /** Looks at both worlds now. Must not depend on the effect being answered. */
  look(): Promise<WorldView>;
  readonly evidence: Evidence;
  /** Awaited before an effect is judged and answered: what follows from it by nature, and is no deed of anybody. */
  settle?(effect: Effect): Promise<void>;
  /** Whether a person has committed this machine; `allowRetirement` says so too. */
  isCommitted?(machine: string): Promise<boolean>;
}

export interface SeenEffect extends Effect {
  readonly number: number;
  /** Milliseconds since the witness began. */
  readonly afterMs: number;
  readonly judgedInMs: number;
}

export interface Witness {
  /** Where simulators POST their effects. */
  readonly url: string;
  /** Takes the worlds as they are now for the state before all effects. Call once both worlds stand. */
  begin(): Promise<void>;
  violations(): readonly Violation[];
  effects(): readonly SeenEffect[];
  /** The last comparison of each disk that came back, both sides hashed by the witness itself. */
  comparisons(): readonly Comparison[];
  /** Tells the witness that a person has committed this machine. */
  allowRetirement(machine: string): void;
  /** Tells the witness that a person chose the newest restore point of this machine instead of its latest moment; or, with false, the latest after all. */
  olderChosen(machine: string, older?: boolean): void;
  /** Takes that back: the commit that was about to be said was refused. */
  forbidRetirement(machine: string): void;
  /** Looks once more and adds what is wrong with the final state to the violations; answers what it added. */
  checkEnd(expectation: { expect: Ending; machine?: string }): Promise<readonly Violation[]>;
  /** Resolves when every effect it was told of so far has been judged. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

const effectShape = z.looseObject({
  world: z.enum(['azure', 'vsphere']),
  op: z.string(),
  vm: z.string().optional(),
  file: z.string().optional(),
  resource: z.string().optional(),
  at: z.string().optional(),
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The judging part, without its HTTP door: unit tests hand it effects directly. */
export function createJudge(plan: WitnessPlan) {
  const violations: Violation[] = [];
  const allowed = new Set<string>();
  const older = new Set<string>();
  let memory: Memory | undefined;
  const committed = async (machine: string): Promise<boolean> =>
    allowed.has(machine) || ((await plan.isCommitted?.(machine)) ?? false);
  // What stays wrong is seen again after every effect; it is reported with the effect that brought it.
  const report = (violation: Violation): void => {
    const same = (each: Violation): boolean =>
      each.invariant === violation.invariant && each.machine === violation.machine && each.seen === violation.seen;
    if (!violations.some(same)) violations.push(violation);
  };
  const judgeOne = async (known: Memory, view: WorldView, deed: Deed, effect: string): Promise<void> => {
    for (const machine of plan.machines) {
      const moment = {
        ...{ view, deed, machine, memory: known, machines: plan.machines, evidence: plan.evidence },
        committed: await committed(machine.name),
        older: older.has(machine.name),
        lookAgain: plan.look,
      };
      for (const invariant of invariants)
        for (const seen of await invariant.check(moment))
          report({ invariant: invariant.id, machine: machine.name, effect, seen });
    }
  };
  return {
    violations,
    chooseOlder: (machine: string, chosen = true) => void (chosen ? older.add(machine) : older.delete(machine)),
    allow: (machine: string) => void allowed.add(machine),
    forbid: (machine: string) => void allowed.delete(machine),
    /** The last comparison of each disk that came back, both sides hashed by the witness. */
    comparisons: (): Comparison[] => [...(memory?.compared.values() ?? [])],
    async begin() {
      memory = freshMemory(await plan.look());
    },
    async judge(effect: Effect): Promise<void> {
      const text = effectWords(effect);
      try {
        const view = await plan.look();
        memory ??= freshMemory(view);
        const deed = deedOf(effect);
        await learnOpen(memory, plan.machines, view, plan.evidence.changedAtMs);
        await judgeOne(memory, view, deed, text);
        learnDeed(memory, plan.machines, view, deed, plan.evidence.nowMs());
      } catch (error) {
        violations.push({ invariant: 'witness', machine: '', effect: text, seen: `could not look: ${words(error)}` });
      }
    },
    async checkEnd({ expect, machine }: { expect: Ending; machine?: string }): Promise<Violation[]> {
      const view = await plan.look();
      const baseline = memory?.baseline ?? view;
      const watched = plan.machines.filter((each) => machine === undefined || each.name === machine);
      const found = watched.flatMap((each) =>
        endFindings(baseline, view, each, expect).map((finding) => ({ ...finding, machine: each.name, effect: 'end' })),
      );
      violations.push(...found);
      return found;
    },
  };
}

/** Opens the witness's door on the loopback interface. */
export async function startWitness(plan: WitnessPlan): Promise<Witness> {
  const judge = createJudge(plan);
  const effects: SeenEffect[] = [];
  const began = performance.now();
  let last: Promise<void> = Promise.resolve();
  const hear = async (effect: Effect): Promise<void> => {
    await plan.settle?.(effect);
    last = last.then(async () => {
      const at = performance.now();
      await judge.judge(effect);
      const judgedInMs = Math.round(performance.now() - at);
      effects.push({ ...effect, number: effects.length + 1, afterMs: Math.round(at - began), judgedInMs });
    });
    await last;
  };
  const server = createServer((request, response) => {
    bodyOf(request)
      .then((text) => hear(effectShape.parse(JSON.parse(text))))
      .then(
        () => response.writeHead(204).end(),
        (error: unknown) => response.writeHead(400).end(words(error)),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the witness has no port');
  return {
    url: `http://127.0.0.1:${address.port}/effects`,
    begin: () => judge.begin(),
    violations: () => judge.violations,
    comparisons: judge.comparisons,
    effects: () => effects,
    allowRetirement: judge.allow,
    forbidRetirement: judge.forbid,
    olderChosen: judge.chooseOlder,
    quiet: () => last,
    async checkEnd(expectation) {
      await last;
      return judge.checkEnd(expectation);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await last;
    },
  };
}
