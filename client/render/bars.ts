/**
 * One bar per disk: how far, how much, how fast, in which stage.
 * Rule: a disk without a report from its mover gets no bar; a bar is never guessed.
 */
import type { Standing, TransferProgress } from '../../model/progress.ts';
import type { DiskSummary } from '../../model/status.ts';
import { bytes, percent, rate, since } from './figures.ts';
import { pad, paint, plain, type Style } from './paint.ts';

const longestBar = 30;
const shortestBar = 6;

export function bar(done: number, total: number, cells: number, style: Style): string {
  const full = total > 0 ? Math.min(cells, Math.floor((done / total) * cells)) : 0;
  const [on, off] = style.unicode ? ['█', '░'] : ['#', '-'];
  return paint(style, 'green', on.repeat(full)) + paint(style, 'dim', off.repeat(cells - full));
}

/**
 * Lines for all disks, those of the run first, then transfers of disks the run has not listed yet. `done`: what was done, by
 * disk, of those that are done with while others are under way.
 */
export function diskLines(
  disks: readonly DiskSummary[],
  transfers: readonly TransferProgress[],
  now: number,
  style: Style,
  done: ReadonlyMap<string, string> = new Map(),
): string[] {
  const latest = new Map<string, TransferProgress>();
  for (const transfer of transfers) {
    const known = latest.get(transfer.disk);
    // S8: after a lost heartbeat two attempts may report; the one with the newer epoch owns the disk.
    if (!known || transfer.epoch >= known.epoch) latest.set(transfer.disk, transfer);
  }
  const names = [...new Set([...disks.map(({ disk }) => disk), ...latest.keys()])];
  const label = Math.min(20, Math.max(4, ...names.map((name) => name.length)));
  const all = [...latest.values()];
  const drawn = transferTexts(
    all.filter((one) => !onlySeals(one)),
    now,
    style,
    style.width - label - 4,
  );
  for (const one of all.filter(onlySeals)) drawn.set(one.disk, `all copied and proven; ${sealSays(one, now)}`);
  return names.map((name) => {
    const size = disks.find(({ disk }) => disk === name)?.sizeBytes;
    const told = [size === undefined ? '' : bytes(size), done.get(name) ?? ''].filter((word) => word !== '');
    const text = drawn.get(name) ?? paint(style, 'dim', told.join('  '));
    return `${pad(plain(name), label)}  ${text}`.trimEnd();
  });
}

/** A seal moves next to nothing; only one that reads the whole disk again first has a way to go. */
export const onlySeals = ({ seal, doneBytes }: TransferProgress): boolean => seal === true && doneBytes === 0;

function sealSays({ stage, stands }: TransferProgress, now: number): string {
  if (stage === 'sealing') return 'sealing';
  if (stage === 'paused') return 'its seal is paused';
  if (stands === undefined) return 'its seal waits for the mover';
  return `its seal${'waitsFor' in stands ? '' : ' was'} ${standsText(stands, now)}`;
}

/** What stands in the place of a stage that nobody is in. */
const standsText = (stands: Standing, now: number): string =>
  'waitsFor' in stands ? `waits for ${stands.waitsFor}` : `not heard for ${since(stands.notHeardSince, now)}`;

/** Under a limit the rate of what it counts: zeros are written without being sent, and would seem to break it. */
function rateText({ bytesPerSecond, sentPerSecond = bytesPerSecond, limit }: TransferProgress): string {
  const shown = limit ? sentPerSecond : bytesPerSecond;
  return shown > 0 ? rate(shown) : '';
}

/** What stands right of each disk's name, in columns, with as much as fits: all figures, then fewer, then no bar. */
function transferTexts(
  transfers: readonly TransferProgress[],
  now: number,
  style: Style,
  room: number,
): Map<string, string> {
  const full = transfers.map((one) => [
    `${String(percent(one.doneBytes, one.totalBytes)).padStart(3)}%`,
    one.stands ? standsText(one.stands, now) : one.stage,
    rateText(one),
    `${bytes(one.doneBytes)} of ${bytes(one.totalBytes)}`,
  ]);
  const shapes = [4, 3, 2].map((columns) => inColumns(full.map((cells) => cells.slice(0, columns))));
  const widthOf = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const fitting = shapes.find((texts) => widthOf(texts) + 2 + shortestBar <= room);
  const texts = fitting ?? shapes.at(-1) ?? [];
  const cells = fitting ? Math.min(longestBar, room - widthOf(texts) - 2) : 0;
  return new Map(
    transfers.map((transfer, index) => {
      const head = cells > 0 ? `${bar(transfer.doneBytes, transfer.totalBytes, cells, style)}  ` : '';
      return [transfer.disk, `${head}${texts[index] ?? ''}`];
    }),
  );
}

function inColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
      .join('')
      .trimEnd(),
  );
}
