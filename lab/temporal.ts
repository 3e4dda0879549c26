/**
 * A real Temporal server for the lab: the CLI's dev server on a file of its own, with its web UI.
 * Rule: every start uses the same file, ports and pragmas, so that a killed server comes back whole (WAL + NORMAL: only a power
 * cut could take its last moments, which no lab outlives; a flush for each commit was a tenth of what the stories compute).
 * Never shares a server between labs.
 */
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';

/** The search attributes Homeward writes; they can only be made with the file, so all are made at the start. */
export const searchAttributes = [
  'HomewardPhase=Keyword',
  'HomewardMachine=Keyword',
  'HomewardPlan=Keyword',
  'HomewardSite=Keyword',
  'HomewardNeedsHuman=Bool',
] as const;

const retentionSeconds = 90 * 86_400;

export interface TemporalServer {
  /** host:port of the gRPC frontend. */
  readonly address: string;
  readonly ui: string;
  readonly namespace: string;
  /** Kills the server (-9), as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same file and ports; also after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function reachable(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } finally {
    await connection.close();
  }
}

/** Histories are the record of what happened: keep them for 90 days instead of the dev server's one. */
async function keepHistories(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const config = { workflowExecutionRetentionTtl: { seconds: retentionSeconds as never } };
    await connection.workflowService.updateNamespace({ namespace: 'default', config });
  } finally {
    await connection.close();
  }
}

export async function startTemporal(program: string, folder: string): Promise<TemporalServer> {
  const port = await freePort();
  const uiPort = await freePort();
  const address = `127.0.0.1:${port}`;
  const flags = ['--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort), '--log-level', 'error'];
  const file = ['--db-filename', join(folder, 'temporal.sqlite')];
  const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'].flatMap((each) => ['--sqlite-pragma', each]);
  const attributes = searchAttributes.flatMap((each) => ['--search-attribute', each]);
  const start = (): Promise<Child> =>
    startChild({
      name: 'temporal',
      program,
      args: ['server', 'start-dev', ...flags, ...file, ...pragmas, ...attributes],
      logFolder: folder,
      ready: () => reachable(address),
    });
  let child = await start();
  await keepHistories(address);
  return {
    address,
    ui: `http://127.0.0.1:${uiPort}`,
    namespace: 'default',
    kill: () => child.kill(),
    async restart() {
      await child.stop();
      child = await start();
    },
    stop: () => child.stop(),
  };
}
