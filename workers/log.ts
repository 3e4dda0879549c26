/**
 * Logs of a worker: one JSON line each on stderr, the SDK's own included.
 * Rule: stdout is kept for the one line that says the worker is ready; secrets are redacted by key, and no payload is logged.
 */
import { DefaultLogger, type LogEntry, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { inWords, toldMeta } from './sdk-words.ts';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

export type Log = pino.Logger;

/** Makes the process's log and gives it to Temporal's runtime; call it once, before any connection. */
export function installLog(worker: string): Log {
  const log = pino(
    {
      base: { worker },
      level: process.env.HOMEWARD_LOG ?? 'info',
      redact: { paths: ['*.password', '*.secret', '*.accessSAS', '*.authorization', '*.token'], censor: '(redacted)' },
    },
    pino.destination(2),
  );
  const logger = new DefaultLogger('WARN', (entry: LogEntry) => {
    log[levels[entry.level]](toldMeta(entry.meta ?? {}), inWords(entry.message));
  });
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'WARN' } } });
  return log;
}
