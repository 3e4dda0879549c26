/**
 * What we know of a target disk and can prove after a crash: the last checkpoint and the journal that goes on from it.
 * Rule: a record is durable before it counts. Damage or a missing part makes the whole disk unknown.
 * Never concludes anything from the target itself; that is what the lineage check and the proofs are for.
 */
import { Failure } from '../model/failure.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { DigestTable } from './digest-table.ts';
import { hostFailure } from './failure.ts';
import { Journal, type JournalEnd, readJournal } from './journal.ts';
import { afterRecord, type DiskRecord, type DiskState } from './records.ts';
import type { StateFolder } from './state-folder.ts';

/** A journal this long is folded into a checkpoint: bounds what a resume reads. */
const compactAtBytes = 16 * 1024 * 1024;
/** Between rounds one this long: reading its lines takes no longer than writing the whole table anew, which grows with the disk. */
const restAtBytes = 256 * 1024;

interface JournalHead {
  readonly t: 'journal';
  /** The checkpoint it goes on from. */
  readonly checkpoint: number;
}

export type LedgerView =
  | {
      readonly known: true;
      readonly state: DiskState;
      readonly checkpoint: Checkpoint;
      /** Where the journal goes on, and the checkpoint it goes on from. Its records are in `state` and the table. */
      readonly journal: JournalEnd & { readonly checkpoint: number };
    }
  | { readonly known: false; readonly because: string; readonly number: number; readonly damaged: boolean };

/** Reads the record without changing it. Damage is an answer, not an error; I/O errors are thrown. The caller closes the view. */
export async function viewLedger(folder: StateFolder, subject: string): Promise<LedgerView> {
  let number = 0;
  const unknown = (because: string, damaged: boolean): LedgerView => ({ known: false, because, number, damaged });
  let checkpoint: Checkpoint | undefined;
  const view = async (): Promise<LedgerView> => {
    checkpoint = await readCheckpoint(folder.checkpoint, subject);
    if (checkpoint === undefined) return unknown('this mover has no record of the disk', false);
    const { table } = checkpoint;
    number = checkpoint.number;
    const heads: JournalHead[] = [];
    let state = checkpoint.state;
    // One by one and none kept: a journal may hold 16 MiB of them.
    const end = await readJournal(folder.journal, state.id, subject, (record, seq) => {
      if (seq === 0) heads.push(record as JournalHead);
      // A crash between checkpoint and new journal leaves the old journal, whose records the checkpoint already holds.
      else if (heads[0]?.checkpoint === number) state = afterRecord(state, record as DiskRecord, table);
    });
    const [head] = heads;
    if (end === undefined || head === undefined) return unknown('the journal of the disk is missing', true);
    if (head.checkpoint > number) return unknown('the journal goes on from a record that is not there', true);
    return { known: true, state, checkpoint, journal: { ...end, checkpoint: head.checkpoint } };
  };
  let seen: LedgerView | undefined;
  try {
    seen = await view();
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'Corrupt')) throw error;
    seen = unknown(error.message, true);
  } finally {
    if (seen?.known !== true) await checkpoint?.table.close();
  }
  return seen;
}

/** Gives back what a view holds open. Safe twice. */
export const closeView = async (view: LedgerView): Promise<void> => {
  if (view.known) await view.checkpoint.table.close();
};

/** Writes a checkpoint, and then the empty journal that goes on from it. */
async function newJournal(folder: StateFolder, subject: string, checkpoint: Checkpoint): Promise<Journal> {
  await writeCheckpoint(folder.checkpoint, subject, checkpoint);
  const head: JournalHead = { t: 'journal', checkpoint: checkpoint.number };
  return Journal.create(folder.journal, checkpoint.state.id, subject, head);
}

export class Ledger {
  readonly table: DigestTable;
  private readonly folder: StateFolder;
  private readonly subject: string;
  private journal: Journal;
  private number: number;
  private last: Promise<void> = Promise.resolve();
  private over: Failure | undefined;
  state: DiskState;

  private constructor(folder: StateFolder, subject: string, journal: Journal, checkpoint: Checkpoint) {
    this.folder = folder;
    this.subject = subject;
    this.journal = journal;
    this.number = checkpoint.number;
    this.table = checkpoint.table;
    this.state = checkpoint.state;
  }

  /** Begins a new record; what was there before is forgotten. */
  static async create(
    folder: StateFolder,
    subject: string,
    after: number,
    state: DiskState,
    blocks: number,
  ): Promise<Ledger> {
    const checkpoint = { number: after + 1, state, table: new DigestTable(blocks) };
    return Ledger.begin(folder, subject, checkpoint);
  }

  private static async begin(folder: StateFolder, subject: string, checkpoint: Checkpoint): Promise<Ledger> {
    try {
      return new Ledger(folder, subject, await newJournal(folder, subject, checkpoint), checkpoint);
    } catch (error) {
      await checkpoint.table.close();
      throw error;
    }
  }

  /** Goes on with a record that was read. */
  static async resume(folder: StateFolder, subject: string, view: LedgerView & { known: true }): Promise<Ledger> {
    const { checkpoint, state } = view;
    if (view.journal.checkpoint < checkpoint.number) {
      return Ledger.begin(folder, subject, { ...checkpoint, number: checkpoint.number + 1 });
    }
    const journal = await Journal.resume(folder.journal, state.id, subject, view.journal);
    const ledger = new Ledger(folder, subject, journal, checkpoint);
    ledger.state = state;
    return ledger;
  }

  /** Durable, and part of `state`, when it returns. Records of callers at the same time go one after the other. */
  append(record: DiskRecord): Promise<void> {
    const mine = this.last.catch(() => undefined).then(() => this.appendNext(record));
    this.last = mine;
    // Whoever appended hears of it; the next one only waits.
    mine.catch(() => undefined);
    return mine;
  }

  /** S8: the disk is another attempt's by now and the journal may be, so that nothing more is written to it. */
  end(because: Failure): void {
    this.over ??= because;
  }

  private async appendNext(record: DiskRecord): Promise<void> {
    if (this.over !== undefined) throw this.over;
    await this.journal.append(record);
    this.state = afterRecord(this.state, record, this.table);
    if (this.journal.bytes > compactAtBytes || this.table.isFull) await this.compact();
  }

  /** Between two rounds: what the next attempt reads is short. */
  async rest(): Promise<void> {
    if (this.journal.bytes > restAtBytes) await this.compact();
  }

  /** Folds the journal into a checkpoint and begins an empty one. */
  async compact(): Promise<void> {
    if (this.over !== undefined) throw this.over;
    try {
      await this.fold();
    } catch (error) {
      // The new checkpoint may be there by now, and beside it nobody reads what the old journal takes from here on.
      this.over = hostFailure(error, 'state.checkpoint', this.subject);
      throw this.over;
    }
  }

  private async fold(): Promise<void> {
    const { folder, subject, state, table, journal } = this;
    const number = this.number + 1;
    this.journal = await newJournal(folder, subject, { number, state, table });
    this.number = number;
    await journal.close();
  }

  async close(): Promise<void> {
    try {
      await this.journal.close();
    } finally {
      await this.table.close();
    }
  }
}
