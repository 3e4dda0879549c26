/**
 * A stage for whole failbacks: a lab with small machines, Homeward's real workers, a client, and the witness watching.
 * Rule: each test takes a machine of its own; what a test claims about the worlds it looks up in the worlds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { defineSearchAttributeKey } from '@temporalio/common';
import { connect, type Link } from '../../client/connect.ts';
import { type RunOptions, startFailback, withOptions } from '../../client/failback.ts';
import { observe } from '../../client/observe.ts';
import type { View } from '../../client/view.ts';
import { loadInventory } from '../../config/load.ts';
import { knock } from '../../lab/control-door.ts';
import { countRecords, remainsInAzure } from '../../lab/inspect.ts';
import { type Lab, type LabOptions, startLab } from '../../lab/lab.ts';
import type { LabMachine } from '../../lab/machines.ts';
import { pointAtLab } from '../../lab/own-temporal.ts';
import { type LabWorkers, startWorkers } from '../../lab/workers.ts';
import {
  type FailbackInput,
  failbackInput,
  machineWorkflowId,
  searchAttributeNames,
} from '../../model/failback-input.ts';
import type { MessageName } from '../../model/message.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';

const lookEveryMs = 250;
/** A whole view is asked of Temporal and the worker, and costs both of them what the run itself wants. */
const viewEveryMs = 500;
/** Operations of Azure take as long as one look; what waits for a slow one slows it by a rule. */
const azureSettings = { lroMs: 20 };
const patienceMs = 90_000;
/** In which phase a run stands the server knows by itself, so waiting for one costs neither the run nor its worker a look. */
const phaseKey = defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD');

const worlds = ['azure', 'vcenter'] as const;
export type World = (typeof worlds)[number];

/** The run is held and nothing is under way any more; home is looked at all the same. */
export const nothingMoves = ({ status, pending }: View): boolean =>
  status?.held !== undefined && pending.every(({ activity }) => activity === 'observeHomeMeanwhile');

/** The same of its rounds. */
export const isHeld = (view: View): boolean => nothingMoves(view) && view.rounds?.now === 'held';

export interface Scene {
  readonly lab: Lab;
  readonly workers: LabWorkers;
  readonly link: Link;
  /** Takes the next machine and starts its failback. */
  begin(options?: RunOptions, policy?: Partial<FailbackInput['policy']>, group?: FailbackInput['group']): Promise<Run>;
  /** Starts another failback of the same machine. */
  again(run: Run): Promise<Run>;
  /** Sets a fault or a delay at one of the two worlds (see lab/azure/faults.ts and lab/go/vcenter/fault_rules.go). */
  fault(world: World, rule: object): Promise<void>;
  /** Waits until a call has met a rule of that world: then it is on its way, and whoever sent it is in the middle of it. */
  untilMet(world: World): Promise<void>;
  /** Takes all rules away, at both worlds; what they delay goes on. */
  forgetRules(): Promise<void>;
  /** Takes away the rule of that world that was set first. */
  forgetOldestRule(world: World): Promise<void>;
  close(): Promise<void>;
}

export interface Run {
  readonly machine: LabMachine;
  readonly input: FailbackInput;
  readonly id: string;
  view(): Promise<View>;
  status(): Promise<Status>;
  /** Waits until the run stands in one of the phases. */
  until(...phases: Phase[]): Promise<Status>;
  untilView(what: string, holds: (view: View) => boolean): Promise<View>;
  /** Says it as an update: yes, or the reason why not. */
  say(name: MessageName, payload?: object): Promise<{ accepted: true } | { refused: string }>;
  /** Says it as a signal: kept, not answered. */
  signal(name: string, payload: unknown): Promise<void>;
  /** Through both gates to the end. */
  comeHome(): Promise<Status>;
  /** Looks at both worlds at the end; empty when all is as it must be. After a change of the point only the last start at home counts. */
  wrongAtEnd(expect: 'committed' | 'returned' | 'committed-after-change'): Promise<string[]>;
}

export async function openScene(machines: number, options: LabOptions = {}): Promise<Scene> {
  const policy = { roundEverySeconds: 0.5, heartbeatSeconds: 3, guestWaitSeconds: 30, ...options.policy };
  const lab = await startLab({
    recordsPerSecond: 20,
    ...{ ...options, machines, policy, azureSettings: { ...azureSettings, ...options.azureSettings } },
  });
  pointAtLab(lab.temporal);
  const workers = await startWorkers(lab);
  const { inventory } = await loadInventory(lab.config);
  const link = await connect(inventory.temporal);
  const waiting = [...lab.machines];
  return {
    lab,
    workers,
    link,
    async begin(runOptions = {}, policy = {}, group = undefined) {
      const machine = waiting.shift();
      if (!machine) throw new Error('this scene has no machine left; open it with more');
      const input = failbackInput(inventory, machine.name);
      if (!input) throw new Error(`${machine.name} is not in the inventory`);
      const asked = withOptions(group ? { ...input, group } : input, runOptions);
      const wanted = { ...asked, policy: { ...asked.policy, ...policy } };
      await startFailback(link, wanted);
      return runOf({ lab, link }, machine, wanted);
    },
    async again({ machine, input }) {
      await startFailback(link, input, { again: true });
      return runOf({ lab, link }, machine, input);
    },
    async fault(world, rule) {
      await knock(rulesOf(lab, world), rule);
    },
    async untilMet(world) {
      for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await pause(lookEveryMs)) {
        const rules = (await knock(rulesOf(lab, world))) as { readonly hits: number }[];
        if (rules.some((rule) => rule.hits > 0)) return;
      }
      throw new Error(`no call met a rule of ${world} in time`);
    },
    async forgetRules() {
      for (const world of worlds) await knock(rulesOf(lab, world), {}, 'DELETE');
    },
    async forgetOldestRule(world) {
      const [oldest] = (await knock(rulesOf(lab, world))) as { readonly id: string | number }[];
      if (oldest) await knock(`${rulesOf(lab, world)}/${oldest.id}`, {}, 'DELETE');
    },
    async close() {
      await link.close();
      await workers.stop();
      await lab.stop();
    },
  };
}

const rulesOf = (lab: Lab, world: World): string => `${lab[world].control}/rules`;

function runOf({ lab, link }: Pick<Scene, 'lab' | 'link'>, machine: LabMachine, input: FailbackInput): Run {
  const id = machineWorkflowId(machine.name);
  const handle = link.client.workflow.getHandle(id);
  const view = (): Promise<View> => observe(link, machine.name, { queryTimeoutMs: 5_000 });
  /** A server or a worker may be away for a while: then nothing is seen. */
  const glance = (): Promise<View | undefined> => view().catch(() => undefined);
  const inTime = async <T>(what: string, everyMs: number, look: () => Promise<T | undefined>): Promise<T> => {
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await pause(everyMs)) {
      const seen = await look();
      if (seen !== undefined) return seen;
    }
    const { phase, trouble } = (await glance())?.status ?? {};
    throw new Error(`${machine.name} was not ${what} in time; phase ${phase}, trouble ${JSON.stringify(trouble)}`);
  };
  const untilView: Run['untilView'] = (what, holds) =>
    inTime(what, viewEveryMs, async () => {
      const seen = await glance();
      return seen && holds(seen) ? seen : undefined;
    });
  const until: Run['until'] = (...phases) =>
    inTime(phases.join(' or '), lookEveryMs, async () => {
      const known = await handle.describe().catch(() => undefined);
      if (!phases.some((phase) => phase === known?.typedSearchAttributes.get(phaseKey))) return undefined;
      const status = (await glance())?.status;
      return status && phases.includes(status.phase) ? status : undefined;
    });
  const say: Run['say'] = async (name, payload = {}) => {
    // Before it is said, because the deleting may begin before the answer is here; a refused commit allows nothing (S2).
    if (name === 'commit') lab.witness.allowRetirement(machine.name);
    try {
      await handle.executeUpdate(name, { args: [{ by: 'ana', ...payload }] });
      return { accepted: true };
    } catch (error) {
      const cause = (error as { cause?: { type?: string; message?: string } }).cause;
      if (cause?.type !== 'RefusedMessage') throw error;
      if (name === 'commit') lab.witness.forbidRetirement(machine.name);
      return { refused: cause.message ?? '' };
    }
  };
  return {
    machine,
    input,
    id,
    view,
    untilView,
    until,
    say,
    status: async () => (await view()).status ?? Promise.reject(new Error('no worker answers')),
    signal: (name, payload) => handle.signal(name, payload),
    async comeHome() {
      await until('Syncing', 'AwaitingCutover');
      await say('completeFailover');
      await until('AwaitingCommit');
      await say('commit');
      return await until('Committed');
    },
    wrongAtEnd: (expect) => wrongAtEnd(lab, machine, expect),
  };
}

async function wrongAtEnd(lab: Lab, machine: LabMachine, expect: Parameters<Run['wrongAtEnd']>[0]): Promise<string[]> {
  await lab.witness.quiet();
  const end = expect === 'returned' ? expect : 'committed';
  await lab.witness.checkEnd({ expect: end, machine: machine.name });
  const broken = lab.witness
    .violations()
    .filter((one) => one.machine === machine.name || one.machine === '')
    .map((one) => `${one.invariant} after ${one.effect}: ${one.seen}`);
  if (expect === 'returned') return broken;
  const { lost, acknowledged } = await countRecords(lab, machine, expect === 'committed-after-change');
  const remains = await remainsInAzure(lab, machine);
  return [
    ...broken,
    ...lost.map((one) => `lost: ${JSON.stringify(one)}`),
    ...(acknowledged === 0 ? ['no record was ever acknowledged'] : []),
    ...remains.map((one) => `remains in Azure: ${one}`),
  ];
}
