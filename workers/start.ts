/**
 * What both worker processes share: options, inventory, connection, the ready line, and an orderly end.
 * Rule: SIGTERM lets attempts hand over their cursors and ends within ten seconds (L7); a config error ends with code 2.
 */
import { parseArgs } from 'node:util';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { ConfigError, inventoryPath, type LoadedInventory, loadInventory } from '../config/load.ts';
import { temporalSettings } from '../config/temporal.ts';
import { installLog, type Log } from './log.ts';
import { payloadConverterPath } from './payload-converter-path.ts';

export interface Started {
  readonly loaded: LoadedInventory;
  readonly log: Log;
  readonly id: string | undefined;
}

export interface WorkerPlan {
  readonly options: Omit<WorkerOptions, 'connection' | 'namespace'>;
  /** Gives back what the worker holds: sessions, pools. */
  close(): Promise<void>;
}

/** Runs a worker process from its command line to its end. */
export async function runWorker(
  kind: 'control' | 'mover',
  plan: (started: Started) => Promise<WorkerPlan>,
): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' }, id: { type: 'string' } } });
  const log = installLog(values.id ?? kind);
  try {
    const loaded = await loadInventory(inventoryPath(values.config));
    const { connectionOptions, namespace, address, origin, warning } = temporalSettings(loaded.inventory.temporal);
    if (warning) log.warn(warning);
    log.info({ address, namespace, origin }, 'connecting to Temporal');
    const connection = await NativeConnection.connect(connectionOptions ?? {});
    const made = await plan({ loaded, log, id: values.id });
    const worker = await Worker.create({ connection, namespace, ...shared, ...made.options });
    const running = worker.run();
    process.stdout.write(
      `${JSON.stringify({ ready: true, worker: kind, queue: made.options.taskQueue, pid: process.pid })}\n`,
    );
    await running;
    await made.close();
    await connection.close();
  } catch (error) {
    log.fatal({ error: error instanceof Error ? error.message : String(error) }, `the ${kind} worker ends`);
    // Sessions and pools may keep the process alive; a worker that cannot work must not look as if it did.
    process.exit(error instanceof ConfigError ? 2 : 1);
  }
}

/** Found by trial: fresh cursors and quick cancels, while a server restart of half a minute is ridden out. */
const shared: Partial<WorkerOptions> = {
  dataConverter: { payloadConverterPath },
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  shutdownGraceTime: '5s',
  shutdownForceTime: '9s',
};
