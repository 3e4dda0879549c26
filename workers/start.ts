/**
 * What both worker processes share: options, inventory, connection, the ready line, and an orderly end.
 * Rule: SIGTERM lets attempts hand over their cursors and ends within ten seconds (L7). What keeps a worker from starting
 * is told to the person who started it, with what to do and the exit codes of `homeward`; later troubles go to the log.
 */
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { noAnswer, noNamespace } from '../client/connect.ts';
import { leave } from '../client/leaving.ts';
import { readOptions } from '../client/options.ts';
import { exitCodes, Problem } from '../client/problem.ts';
import { report } from '../client/screen.ts';
import { inventoryPath, type LoadedInventory, loadInventory } from '../config/load.ts';
import { type ConfigProblem, describeProblem } from '../config/problem.ts';
import { lookAtReferences } from '../config/references.ts';
import { type TemporalSettings, temporalSettings } from '../config/temporal.ts';
import { onceStarterIsGone } from '../setup/parents.mjs';
import { endInOrder, onceAsked } from './ending.ts';
import { installLog, type Log } from './log.ts';
import { payloadConverterPath } from './payload-converter-path.ts';
import { rivalsOn } from './rivals.ts';
import { inWords, toldMeta } from './sdk-words.ts';

export interface Started {
  readonly loaded: LoadedInventory;
  readonly log: Log;
  readonly id: string | undefined;
}

export interface WorkerPlan {
  /** Its queue is its own: another worker there would take its work, without its state. */
  readonly alone?: true;
  readonly options: Omit<WorkerOptions, 'connection' | 'namespace'>;
  /** Gives back what the worker holds: sessions, pools. */
  close(): Promise<void>;
}

type Kind = 'control' | 'mover';

const about: Readonly<Record<Kind, readonly string[]>> = {
  control: [
    'npm run control -- [--config <file>]',
    '',
    'Runs a control worker: the stories and everything light. Any number of them may run, on any computer that reaches',
    'Temporal, the Azure management endpoint and vCenter.',
  ],
  mover: [
    'npm run mover -- [--config <file>] [--id <mover>]',
    '',
    'Runs a mover: it copies the bytes, so it runs on the machine that homeward.yaml names for it, beside the disks.',
    '',
    '  --id <mover>     its name in homeward.yaml; may be left out when there is only one',
  ],
};

const usageOf = (kind: Kind): string =>
  [
    ...about[kind],
    ...(kind === 'control' ? [''] : []),
    '  --config <file>  the inventory; else HOMEWARD_CONFIG, else ./homeward.yaml',
    '',
    'It says {"ready":true,…} on stdout once it works, logs to stderr (HOMEWARD_LOG=debug for more), and runs until SIGTERM.',
    `Exit codes: ${exitCodes.ok} asked to end, ${exitCodes.usage} wrong options, or homeward.yaml has problems${kind === 'control' ? ' or names a secret of a site or of Temporal that is not here' : ''}, ${exitCodes.unreachable} Temporal does not answer, ${exitCodes.unexpected} anything else.`,
  ].join('\n');

const config = { config: { type: 'string' } } as const;

/** A control worker has no name of its own: any one may take any work. */
function optionsOf(kind: Kind): { config?: string; id?: string } | undefined {
  const usage = { program: `npm run ${kind} --`, text: usageOf(kind) };
  return kind === 'control' ? readOptions(usage, config) : readOptions(usage, { ...config, id: { type: 'string' } });
}

/** Runs a worker process from its command line to its end. */
export async function runWorker(kind: Kind, plan: (started: Started) => Promise<WorkerPlan>): Promise<void> {
  let log: Log | undefined;
  try {
    const values = optionsOf(kind);
    if (!values) return;
    const loaded = await loadInventory(inventoryPath(values.config));
    const started = { loaded, log: installLog(values.id ?? kind), id: values.id };
    const asked = onceAsked(started.log);
    // As if it had been asked to: `npm run control` that is killed leaves no worker behind that nobody sees.
    onceStarterIsGone(() => process.kill(process.pid, 'SIGTERM'));
    const opened = await Promise.race([open(kind, started, plan), asked]);
    // L7: a silent Temporal is waited for half a minute, and a worker that has taken no work has nothing to hand over.
    if (!opened) return await leave(exitCodes.ok);
    const { worker, missing, close } = opened;
    log = started.log;
    const running = worker.run();
    const { taskQueue: queue } = worker.options;
    const lacks = missing.length > 0 ? { missing } : {};
    process.stdout.write(`${JSON.stringify({ ready: true, worker: kind, queue, pid: process.pid, ...lacks })}\n`);
    await endInOrder(asked, running, close, log);
    // L7: what was not waited for (a revocation that hangs) must not keep the process.
    await leave(exitCodes.ok);
  } catch (error) {
    const code = log ? exitCodes.unexpected : report(error, false);
    log?.fatal(toldMeta({ error }), `the ${kind} worker ends`);
    // Sessions and pools may keep the process alive; a worker that cannot work must not look as if it did.
    await leave(code);
  }
}

interface Opened {
  readonly worker: Worker;
  /** Keys of secrets and certificates that are not on this computer. */
  readonly missing: readonly string[];
  close(whole: boolean): Promise<void>;
}

async function open(kind: Kind, started: Started, plan: (started: Started) => Promise<WorkerPlan>): Promise<Opened> {
  const { log, loaded } = started;
  const settings = temporalSettings(loaded.inventory.temporal);
  const { namespace, address, origin, warning } = settings;
  if (warning) log.warn(warning);
  const { missing } = lookAtReferences(loaded);
  // L5: the login to one machine's guest keeps no other machine's run from going on.
  const ofSites = missing.filter(({ key }) => !key.startsWith('machines.'));
  if (kind === 'control' && ofSites.length > 0) throw needsAll(ofSites);
  // A mover needs only some of them, and no other worker does its steps; a control worker leaves a step to those that can.
  for (const one of missing) log.warn(`${lackSays[kind]}: ${describeProblem(one)}`);
  // What is wrong on this computer is told before anybody waits for another one.
  const made = await plan(started);
  log.info({ address, namespace, origin }, 'connecting to Temporal');
  const connection = await connectTo(settings);
  for (const rival of made.alone ? await rivalsOn(connection, namespace, made.options.taskQueue) : [])
    log.warn(
      `another worker asks for work on "${made.options.taskQueue}" (${rival}): stop one of the two, unless that one has just ended`,
    );
  const worker = await createWorker(settings, { connection, namespace, ...shared, ...made.options });
  return {
    worker,
    missing: missing.map(({ key }) => key),
    async close(whole) {
      await made.close();
      // A worker that was left still holds it; it ends with the process.
      if (whole) await connection.close();
    },
  };
}

const lackSays: Readonly<Record<Kind, string>> = {
  control:
    'a step that needs it is left to another control worker, and calls an operator when none has it for some minutes',
  mover: 'a step that needs it will call an operator',
};

/** It takes every machine's steps, also in an outage: what it lacks of a site would call a person there, while another worker has it. */
const needsAll = (missing: readonly ConfigProblem[]): Problem =>
  new Problem(
    'usage',
    `this control worker would lack what its steps need:\n${missing.map(describeProblem).join('\n')}`,
    'Put it where the inventory says, or take out of homeward.yaml what nobody needs any more; then start the worker again. Until then the other control workers go on.',
  );

async function connectTo(settings: TemporalSettings): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(settings.connectionOptions ?? {});
  } catch (cause) {
    throw noAnswer(settings, cause instanceof Error ? `: ${inWords(cause.message)}` : '', cause);
  }
}

/** The SDK looks whether the namespace is there, and has no class for it when it is not. */
async function createWorker(settings: TemporalSettings, options: WorkerOptions): Promise<Worker> {
  try {
    return await Worker.create(options);
  } catch (cause) {
    if (cause instanceof Error && /^Namespace \S+ was not found/.test(cause.message))
      throw noNamespace(settings, cause);
    throw cause;
  }
}

/** Found by trial: fresh cursors and quick cancels, while a server restart of half a minute is ridden out. */
const shared: Partial<WorkerOptions> = {
  dataConverter: { payloadConverterPath },
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  shutdownGraceTime: '5s',
};
