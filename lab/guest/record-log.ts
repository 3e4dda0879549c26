/**
 * The application of a lab machine: it keeps writing numbered records at random places of its data disk, flushes,
 * and only then acknowledges them. After a reboot, on either side, it goes on from what lies on the disk itself.
 * Rule: nothing is acknowledged before the flush; a disk without its superblock is formatted in Azure only,
 * never on-prem, where a missing log means lost data and must be seen.
 */
import { type Acknowledged, discarded, type LogEvent, openAcknowledgements } from './acknowledgements.ts';
import type { GuestDisk, ReadableDisk } from './guest-disk.ts';
import {
  freshLayout,
  type LogLayout,
  readSlot,
  readSuperblock,
  recordBytes,
  type SlotContent,
  slotOffset,
  writtenRecord,
  writtenSuperblock,
} from './record.ts';
import { pauseUnless, TurnsOfWriting } from './turns-of-writing.ts';

export interface RecordLogOptions {
  /** The side file; see acknowledgements.ts. */
  readonly acknowledgements: string;
  readonly recordsPerSecond: number;
  readonly side: 'azure' | 'on-prem';
}

export interface RecordLog {
  /** Waits for the write in flight, then writes no more. */
  stop(): Promise<void>;
  /** Runs `act` while all that was written is flushed and acknowledged, and nothing new is begun. */
  quiesced<T>(act: () => Promise<T>): Promise<T>;
  written(): number;
  /** The highest sequence number begun so far. */
  newest(): number;
  /** Why it stopped by itself, if it did: the disk or the side file refused. */
  failure(): unknown;
}

const batchEveryMs = 250;
/** How many slots are read with one call while a disk is scanned. */
const scanBatch = 64;

export async function readLayout(disk: ReadableDisk): Promise<LogLayout | undefined> {
  return readSuperblock(await disk.read(0, recordBytes));
}

/** What each slot of the disk holds, in slot order. */
export async function scanSlots(disk: ReadableDisk, layout: LogLayout): Promise<SlotContent[]> {
  const found: SlotContent[] = [];
  for (let first = 0; first < layout.slots; first += scanBatch) {
    const slots = Array.from({ length: Math.min(scanBatch, layout.slots - first) }, (_, index) => first + index);
    const read = (slot: number) => disk.read(slotOffset(layout, slot), recordBytes);
    const bytes = await Promise.all(slots.map(read));
    for (const [index, slot] of slots.entries()) found.push(readSlot(bytes[index] ?? Buffer.alloc(recordBytes), slot));
  }
  return found;
}

/** What the application found when it started, as events: the proof of what had come with the disk. */
function foundAtBoot(contents: readonly SlotContent[], side: string): { events: LogEvent[]; highest: number } {
  const events: LogEvent[] = [{ kind: 'boot', side }];
  let highest = 0;
  for (const [slot, content] of contents.entries()) {
    if (content.kind !== 'record') continue;
    highest = Math.max(highest, content.facts.seq);
    events.push({ kind: 'found', at: { seq: content.facts.seq, slot, sum: content.sum } });
  }
  return { events: [...events, { kind: 'live' }], highest };
}

type Step = { readonly slot: number; readonly seq: number; readonly what: 'write' | 'discard' };

/** The next steps: a third goes to the next slot in turn, the rest anywhere; one in forty is a discard. */
function nextSteps(count: number, firstSeq: number, layout: LogLayout): Step[] {
  const taken = new Map<number, Step>();
  for (let seq = firstSeq; seq < firstSeq + count; seq++) {
    const slot = seq % 3 === 0 ? Math.floor(seq / 3) % layout.slots : Math.floor(Math.random() * layout.slots);
    taken.set(slot, { slot, seq, what: Math.random() < 1 / 40 ? 'discard' : 'write' });
  }
  return [...taken.values()];
}

async function perform(disk: GuestDisk, layout: LogLayout, step: Step, side: number): Promise<Acknowledged> {
  const offset = slotOffset(layout, step.slot);
  if (step.what === 'discard') {
    if (disk.discard === undefined) await disk.write(offset, Buffer.alloc(recordBytes));
    else await disk.discard(offset, recordBytes);
    return { seq: step.seq, slot: step.slot, sum: discarded };
  }
  const seed = Math.floor(Math.random() * 0xffff_ffff);
  const record = writtenRecord({ seq: step.seq, slot: step.slot, seed, side });
  await disk.write(offset, record.bytes);
  return { seq: step.seq, slot: step.slot, sum: record.sum };
}

async function layoutOf(disk: GuestDisk, side: RecordLogOptions['side']): Promise<LogLayout> {
  const layout = await readLayout(disk);
  if (layout !== undefined) return layout;
  if (side === 'on-prem') throw new Error(`the data disk ${disk.name} carries no record log`);
  const fresh = freshLayout(disk.sizeBytes);
  await disk.write(0, writtenSuperblock(fresh));
  await disk.flush();
  return fresh;
}

/** Starts the application on `disk`. Throws when it cannot start; later failures end it and are kept in `failure()`. */
export async function startRecordLog(disk: GuestDisk, options: RecordLogOptions): Promise<RecordLog> {
  const layout = await layoutOf(disk, options.side);
  const found = foundAtBoot(await scanSlots(disk, layout), options.side);
  const side = await openAcknowledgements(options.acknowledgements);
  await side.append(found.events);
  let next = found.highest + 1;
  let written = 0;
  const stopping = new AbortController();
  let failure: unknown;
  const turns = new TurnsOfWriting();
  const batch = async (count: number): Promise<void> => {
    const steps = nextSteps(count, next, layout);
    next += count;
    const discards = steps.filter((step) => step.what === 'discard');
    await side.append(discards.map((step) => ({ kind: 'intent', seq: step.seq, slot: step.slot })));
    const done = await Promise.all(steps.map((step) => perform(disk, layout, step, options.side === 'azure' ? 1 : 2)));
    await disk.flush();
    await side.append(done.map((at) => ({ kind: 'done', at })));
    written += done.length;
  };
  const run = async (): Promise<void> => {
    const began = performance.now();
    for (let due = 0, sent = 0; !stopping.signal.aborted; await pauseUnless(stopping.signal, batchEveryMs)) {
      due = Math.floor(((performance.now() - began) / 1000) * options.recordsPerSecond);
      // A guest that was starved of time does not write all it missed at once.
      const count = Math.min(due - sent, 256);
      if (count > 0) await turns.run(() => batch(count));
      sent = due;
    }
  };
  const running = run()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => side.close());
  return {
    async stop() {
      stopping.abort();
      await running;
    },
    quiesced: (act) => turns.run(act),
    written: () => written,
    newest: () => next - 1,
    failure: () => failure,
  };
}
