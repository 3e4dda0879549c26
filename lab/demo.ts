/**
 * `npm start`: one machine comes home on a lab of its own, told on the screen, with both gates open to a person.
 * Rule: what it says at the end was looked up in the two worlds; it exits with 0 only if every line of the evidence holds.
 *
 *   npm start -- [--yes] [--staged] [--during] [--keep]
 */
import { stat } from 'node:fs/promises';
import { connect, type Link } from '../client/connect.ts';
import { startFailback } from '../client/failback.ts';
import { leave } from '../client/leaving.ts';
import { sendMessage } from '../client/message.ts';
import { readOptions } from '../client/options.ts';
import { withPatience } from '../client/patience.ts';
import { exitCodes, Problem } from '../client/problem.ts';
import { openScreen, report, whoTypes } from '../client/screen.ts';
import { endWithReader } from '../client/streams.ts';
import type { View } from '../client/view.ts';
import { type Canvas, follow, openCanvas, untilLeft } from '../client/watch.ts';
import { loadInventory } from '../config/load.ts';
import { failbackInput } from '../model/failback-input.ts';
import { onceStarterIsGone } from '../setup/parents.mjs';
import { readGuests } from './azure-control.ts';
import { showEvidence, showReturn } from './demo-evidence.ts';
import type { Lab } from './lab.ts';
import type { LabMachine } from './machines.ts';
import { openUnless } from './opening.ts';
import { pointAtLab } from './own-temporal.ts';
import { type LabWorkers, startWorkers } from './workers.ts';
import { yesOrNo } from './yes-or-no.ts';

const usage = `npm start -- [options]: a lab of its own, and one machine that comes home on it

  --yes      go through both gates without asking
  --staged   write new disks beside the originals instead of the originals
  --during   one full copy inside the cutover instead of rounds before it
  --keep     keep the lab's folder (logs, disks) afterwards

Answering no at a gate takes the machine back to Azure. Exit codes: 0 it came home, or it was taken back at your word,
and every line of the evidence holds; 1 something does not hold or failed; 2 wrong options; 130 Ctrl-C.`;

const options = {
  yes: { type: 'boolean', default: false },
  staged: { type: 'boolean', default: false },
  during: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
} as const;

const youLeft = (): Problem => new Problem('interrupted', 'you left', 'Start it again when you like.');

/** Rounds the demo waits for before it goes through the gate by itself. */
const roundsToShow = 3;
const screen = openScreen(false);
const say = (text = ''): void => void process.stdout.write(`${text}\n`);

interface Story {
  readonly lab: Lab;
  readonly machine: LabMachine;
  readonly link: Link;
  readonly canvas: Canvas;
  readonly yes: boolean;
  /** Aborted, with what to throw, once a person left or nobody is there any more. */
  readonly left: AbortSignal;
}

/** Asks on a terminal; without one, or with --yes, the answer is yes. Throws Problem `interrupted` on Ctrl-C. */
async function askPerson(story: Story, question: string): Promise<boolean> {
  for (;;) {
    const answer = story.yes ? undefined : await screen.ask(`${question} [y/N] `);
    if (answer === undefined) break;
    const meant = yesOrNo(answer);
    if (meant !== undefined) return meant;
    say('Type y or n.');
  }
  say(`${question} yes (nobody was asked)`);
  return true;
}

async function showSource({ lab, machine }: Story): Promise<void> {
  const before = (await readGuests(lab.azure.control)).get(machine.source.vm) ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = (await readGuests(lab.azure.control)).get(machine.source.vm) ?? 0;
  say(`${machine.name} runs in Azure and writes: ${after} records acknowledged, ${after - before} in the last second.`);
  say(`Its two disks lie stale and powered off at home. Temporal UI: ${lab.temporal.ui}`);
}

const inPhase = (phase: string) => (view: View) => view.status?.phase === phase;
const rounds = (count: number) => (view: View) => inPhase('Syncing')(view) && (view.rounds?.done ?? 0) >= count;

/** Follows the run until `until` holds; a call for an operator ends the demo with its reason. */
async function until(story: Story, holds: (view: View) => boolean): Promise<View> {
  const view = await follow(
    story.link,
    story.machine.name,
    story.canvas,
    (seen) => holds(seen) || inPhase('NeedsOperator')(seen),
  );
  // Nothing is asked, and nothing said to the run, behind the back of who left.
  story.left.throwIfAborted();
  const trouble = view.status?.trouble;
  if (trouble) throw new Error(`the run needs an operator: ${trouble.message}. ${trouble.hint}`);
  if (!holds(view)) throw new Error(`the run ended in ${view.status?.phase ?? view.execution}`);
  return view;
}

async function bringHome(story: Story, during: boolean): Promise<View | undefined> {
  const { link, machine } = story;
  const by = whoTypes();
  await until(story, during ? inPhase('AwaitingCutover') : rounds(roundsToShow));
  say();
  if (!(await askPerson(story, 'Complete the failover now? The machine stops in Azure and starts at home.')))
    return undefined;
  await sendMessage(link, machine.name, { name: 'completeFailover', by });
  const home = await until(story, inPhase('AwaitingCommit'));
  say();
  say(`It runs at home. Outage as the guest's records show it: ${await measuredOutage(machine)}.`);
  if (!(await askPerson(story, 'Commit? The machine and its disks in Azure are deleted; there is no way back.')))
    return undefined;
  const evidence = home.status?.evidence;
  await sendMessage(link, machine.name, { name: 'commit', by, ...(evidence ? { evidence } : {}) });
  return await until(story, inPhase('Committed'));
}

/** From the last record acknowledged in Azure to the first one at home, by the two side files. */
async function measuredOutage({ acknowledgements }: LabMachine): Promise<string> {
  const [last, first] = await Promise.all([stat(acknowledgements.azure), stat(acknowledgements.onPrem)]);
  return `${((first.birthtimeMs - last.mtimeMs) / 1000).toFixed(1)} s`;
}

async function tell(story: Story, during: boolean): Promise<number> {
  const { lab, machine, link } = story;
  const { inventory } = await loadInventory(lab.config);
  const input = failbackInput(inventory, machine.name);
  if (!input) throw new Error(`the lab's inventory has no machine ${machine.name}`);
  await showSource(story);
  await startFailback(link, input);
  const end = await bringHome(story, during);
  if (end) return (await showEvidence(lab, machine, end, say)) ? 0 : 1;
  say(`You said no: ${machine.name} is taken back. What was written at home, if it ran there, is dropped.`);
  await sendMessage(link, machine.name, { name: 'cancel', by: whoTypes(), acceptLoss: true });
  await until(story, inPhase('ReturnedToSource'));
  return (await showReturn(lab, machine, say)) ? 0 : 1;
}

/** What `work` comes to, or what `left` throws as soon as it is aborted; then `work` is let go. */
async function unlessLeft<R>(left: AbortSignal, work: Promise<R>): Promise<R> {
  const leaving = new Promise<never>((_, reject) => {
    const letGo = (): void => reject(left.reason);
    if (left.aborted) letGo();
    else left.addEventListener('abort', letGo, { once: true });
  });
  return await Promise.race([work, leaving]);
}

async function main(): Promise<number> {
  endWithReader();
  const values = readOptions({ program: 'npm start --', text: usage }, options);
  if (!values) return exitCodes.ok;
  say('Opening a lab: Temporal, a vCenter, an Azure, and a machine that writes …');
  const committed = { yes: async (_machine: string) => false };
  const policy = {
    sync: values.during ? 'during' : 'before',
    write: values.staged ? 'staged' : 'in-place',
    roundEverySeconds: 2,
  } as const;
  const leaving = new AbortController();
  const { signal: left } = leaving;
  const leave = (): void => leaving.abort(youLeft());
  // `on`, not `once`: a second listener (the terminal's) must not end the process before the lab is gone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  onceStarterIsGone(leave);
  const isCommitted = (machine: string) => committed.yes(machine);
  const lab = await openUnless(left, { osTree: 'full', keep: values.keep, policy, isCommitted }, false);
  if (!lab) throw youLeft();
  let starting: Promise<LabWorkers> | undefined;
  // The link is left open to the end of the process: the watch or the witness may have a question out, which the client
  // would ask again on a closed link, and that throws where nobody catches it.
  const stop = async (): Promise<void> => {
    const workers = await starting?.catch(() => undefined);
    await workers?.stop();
    await lab.stop();
  };
  try {
    say(lab.linux.boots ? 'Its OS disk is a Linux that really boots.' : lab.linux.why);
    pointAtLab(lab.temporal);
    starting = startWorkers(lab);
    await unlessLeft(left, withPatience('starting the workers', starting));
    const { inventory } = await loadInventory(lab.config);
    const link = await connect(inventory.temporal, undefined, lab.config);
    const [machine] = lab.machines;
    if (!machine) throw new Error('the lab has no machine');
    committed.yes = async (name) => await hasCommitted(link, name);
    const canvas = untilLeft(await openCanvas(screen), left);
    return await unlessLeft(left, tell({ lab, machine, link, canvas, yes: values.yes, left }, values.during));
  } finally {
    if (values.keep) say(`The lab's folder is kept: ${lab.folder}`);
    await withPatience('closing the lab', stop());
  }
}

/** Whether a person's commit is in the run's own record; the witness asks before it allows a deletion. */
async function hasCommitted(link: Link, machine: string): Promise<boolean> {
  const status = await link.client.workflow.getHandle(`machine/${machine}`).query<{ commitment?: object }>('status');
  return status?.commitment !== undefined;
}

main().then(
  (code) => leave(code),
  (error: unknown) => {
    if (error instanceof Problem && error.kind !== 'interrupted') return leave(report(error, false));
    const remains = process.argv.includes('--keep') ? 'but for its folder' : 'with all that was in it';
    const left = error instanceof Problem && `\nYou left: the lab is gone, ${remains}.`;
    process.stderr.write(`${left || (error instanceof Error ? error.message : String(error))}\n`);
    return leave(left ? exitCodes.interrupted : exitCodes.unexpected);
  },
);
