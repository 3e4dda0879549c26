/**
 * What runs inside a powered-on lab machine: firmware looks at the OS disk, then an application writes.
 * Rule: a machine whose OS disk would not boot runs nothing at all; its reason is told in words.
 * Never writes into the ext4: the running system writes only the log partition and the data disk.
 */
import { BulkWriter } from './bulk-writer.ts';
import { partitionTypes, readGpt } from './gpt.ts';
import type { GuestDisk } from './guest-disk.ts';
import { checkBootable } from './partition-check.ts';
import { type RecordLog, type RecordLogOptions, readLayout, startRecordLog } from './record-log.ts';
import { pauseUnless, TurnsOfWriting } from './turns-of-writing.ts';

export interface Guest {
  readonly booted: boolean;
  /** Why it did not boot, or why its application did not start. */
  readonly reason?: string;
  /** Waits for the write in flight; nothing is written after it returned. */
  stop(): Promise<void>;
  /** Runs `act` while its applications and its system hold still and all their writes are durable. */
  quiesced<T>(act: () => Promise<T>): Promise<T>;
  /** Writes so many bytes a second more from now on, between the records; 0 ends it. Throws where no application runs. */
  writeMore(bytesPerSecond: number): void;
  /** Records acknowledged since this boot. */
  written(): number;
  /** The highest sequence number of a record begun so far. */
  newest(): number;
  /** What ended the application by itself, if anything did. */
  failure(): unknown;
}

const logEveryMs = 500;
const logLineBytes = 4096;

type SystemLog = Pick<Guest, 'stop' | 'quiesced' | 'failure'>;

/** The operating system's own writing: a ring of lines in the log partition, so that the OS disk has changes too. */
async function startSystemLog(disk: GuestDisk, side: string): Promise<SystemLog> {
  const turns = new TurnsOfWriting();
  const table = await readGpt(disk);
  const part = 'partitions' in table && table.partitions.find((each) => each.type === partitionTypes.linuxReserved);
  if (!part) return { stop: async () => undefined, quiesced: (act) => turns.run(act), failure: () => undefined };
  const lines = Math.floor(part.sizeBytes / logLineBytes);
  let failure: unknown;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    for (let line = 0; !stopping.signal.aborted; line++) {
      const text = `${new Date().toISOString()} ${side} line ${line}\n`;
      await turns.run(async () => {
        await disk.write(part.offset + (line % lines) * logLineBytes, Buffer.from(text.padEnd(logLineBytes, '\0')));
        await disk.flush();
      });
      await pauseUnless(stopping.signal, logEveryMs);
    }
  };
  const running = run().catch((error: unknown) => {
    failure = error;
  });
  return {
    async stop() {
      stopping.abort();
      await running;
    },
    quiesced: (act) => turns.run(act),
    failure: () => failure,
  };
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const noApplication = (): never => {
  throw new Error('no application runs in this guest');
};

/** Powers the machine's inside on. `disks[0]` is the OS disk, `disks[1]` the data disk, others stay untouched. */
export async function bootGuest(disks: readonly GuestDisk[], options: RecordLogOptions): Promise<Guest> {
  const nothing = {
    stop: async () => undefined,
    quiesced: <T>(act: () => Promise<T>) => act(),
    writeMore: noApplication,
    written: () => 0,
    newest: () => 0,
    failure: () => undefined,
  };
  const [system, data] = disks;
  if (system === undefined) return { booted: false, reason: 'no disk is attached', ...nothing };
  const answer = await checkBootable(system);
  if (!answer.bootable) return { booted: false, reason: answer.reason, ...nothing };
  const log = await startSystemLog(system, options.side);
  let records: RecordLog | undefined;
  let bulk: BulkWriter | undefined;
  let reason: string | undefined;
  try {
    records = data === undefined ? undefined : await startRecordLog(data, options);
    const layout = data && (await readLayout(data));
    bulk = data && layout && new BulkWriter(data, layout);
  } catch (error) {
    reason = `the application did not start: ${words(error)}`;
  }
  const writers = [log, records, bulk].filter((one) => one !== undefined);
  return {
    booted: true,
    ...(reason === undefined ? {} : { reason }),
    async stop() {
      await Promise.all(writers.map((one) => one.stop()));
    },
    quiesced: <T>(act: () => Promise<T>) =>
      writers.reduce<() => Promise<T>>((held, one) => () => one.quiesced(held), act)(),
    writeMore: (bytesPerSecond) => (bulk ?? noApplication()).write(bytesPerSecond),
    written: () => records?.written() ?? 0,
    newest: () => records?.newest() ?? 0,
    failure: () => writers.map((one) => one.failure()).find((one) => one !== undefined),
  };
}
