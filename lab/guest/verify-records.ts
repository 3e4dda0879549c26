/**
 * The proof that no acknowledged write was lost: what the application acknowledged against what lies on the disk.
 * Rule: for each slot, the last acknowledged content or something newer must be there; anything else is `lost`.
 * Also checks every start of the application: what it found then must cover what had been acknowledged before.
 */
import { type Acknowledged, discarded, readAcknowledgements } from './acknowledgements.ts';
import type { ReadableDisk } from './guest-disk.ts';
import type { SlotContent } from './record.ts';
import { readLayout, scanSlots } from './record-log.ts';

export interface LostRecord {
  readonly slot: number;
  /** The sequence number that was acknowledged. */
  readonly acknowledged: number;
  /** What was there instead. */
  readonly seen: string;
  /** Where it was missed: on the disk now, or when the application started on a side. */
  readonly when: string;
}

export interface RecordReport {
  /** Acknowledged events in all files: writes and discards. */
  readonly acknowledged: number;
  /** Whole records on the disk now. */
  readonly found: number;
  readonly lost: readonly LostRecord[];
  /** The highest sequence number on the disk now. */
  readonly newest: number;
  /** The highest sequence number acknowledged. */
  readonly newestAcknowledged: number;
  /** Starts of the application, in order, by side. */
  readonly boots: readonly string[];
}

interface Ledger {
  readonly last: Map<number, Acknowledged>;
  /** Slots for which a discard was announced, by the highest such sequence number. */
  readonly intents: Map<number, number>;
}

/** In words why `content` does not cover what was acknowledged for the slot; undefined when it does. */
function missed(ledger: Ledger, slot: number, content: SlotContent): string | undefined {
  const wanted = ledger.last.get(slot);
  if (wanted === undefined) return undefined;
  if (content.kind === 'damaged') return `damaged: ${content.why}`;
  if (content.kind === 'empty') {
    const mayBeEmpty = wanted.sum === discarded || (ledger.intents.get(slot) ?? -1) > wanted.seq;
    return mayBeEmpty ? undefined : 'zeros';
  }
  if (content.facts.seq > wanted.seq) return undefined;
  if (content.facts.seq === wanted.seq && content.sum === wanted.sum) return undefined;
  return `record ${content.facts.seq} (${content.sum})`;
}

const allMissed = (ledger: Ledger, contents: (slot: number) => SlotContent, when: string): LostRecord[] =>
  [...ledger.last.values()].flatMap((wanted) => {
    const seen = missed(ledger, wanted.slot, contents(wanted.slot));
    return seen === undefined ? [] : [{ slot: wanted.slot, acknowledged: wanted.seq, seen, when }];
  });

/**
 * Compares a data disk with the side files of all its incarnations, oldest first.
 * The disk must be quiet (its machine stopped), or what is in flight may look lost. `restarted`: the one of the files of which
 * only the last start counts, because what was acknowledged before it was dropped by a person's word.
 */
export async function verifyRecords(
  disk: ReadableDisk,
  files: string | readonly string[],
  restarted?: string,
): Promise<RecordReport> {
  const ledger: Ledger = { last: new Map(), intents: new Map() };
  const lost: LostRecord[] = [];
  const boots: string[] = [];
  let acknowledged = 0;
  let newestAcknowledged = 0;
  let atBoot = new Map<number, SlotContent>();
  for (const file of typeof files === 'string' ? [files] : files) {
    const events = await readAcknowledgements(file);
    const from = file === restarted ? events.findLastIndex(({ kind }) => kind === 'boot') : 0;
    for (const event of events.slice(Math.max(0, from))) {
      if (event.kind === 'boot') {
        boots.push(event.side);
        atBoot = new Map();
      } else if (event.kind === 'found') {
        const { seq, slot, sum } = event.at;
        atBoot.set(slot, { kind: 'record', sum, facts: { seq, slot, seed: 0, side: 0 } });
      } else if (event.kind === 'live') {
        const seen = atBoot;
        const when = `when the application started on the side ${boots.at(-1)}`;
        lost.push(...allMissed(ledger, (slot) => seen.get(slot) ?? { kind: 'empty' }, when));
      } else if (event.kind === 'intent') {
        ledger.intents.set(event.slot, event.seq);
      } else {
        acknowledged += 1;
        newestAcknowledged = Math.max(newestAcknowledged, event.at.seq);
        ledger.last.set(event.at.slot, event.at);
      }
    }
  }
  const layout = await readLayout(disk);
  const contents = layout === undefined ? [] : await scanSlots(disk, layout);
  lost.push(...allMissed(ledger, (slot) => contents[slot] ?? { kind: 'empty' }, 'on the disk now'));
  const records = contents.filter((content) => content.kind === 'record');
  const newest = records.reduce((highest, record) => Math.max(highest, record.facts.seq), 0);
  return { acknowledged, found: records.length, lost, newest, newestAcknowledged, boots };
}
