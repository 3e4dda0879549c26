/**
 * The rows of the table: what each measures, in what unit, and the goal it is held against.
 * Rule: a row is never dropped; what could not be measured has the value null and says why. Pure.
 */

export interface RowPlan {
  readonly what: string;
  readonly unit: string;
  /** `null`: only told, held against nothing. */
  readonly goal: number | null;
  readonly better: 'more' | 'less';
}

const row = (what: string, unit: string, better: RowPlan['better'], goal: number | null): RowPlan => ({
  what,
  unit,
  better,
  goal,
});

export const rows = {
  'full-copy-vs-azcopy': row(
    'a whole disk, a third of it holes, over TLS, with arrival checksum and read-back: how many times faster than `azcopy`',
    'times',
    'more',
    3,
  ),
  'full-copy-vs-qemu-img': row('the same against `qemu-img convert` over https', 'times', 'more', 2),
  'full-copy-vs-limit': row(
    'the same reader and the same way of writing without any proof, against the slower of parallel curl to nothing and dd direct',
    'of the limit',
    'more',
    0.9,
  ),
  'verified-vs-unverified': row('rate with all proofs ÷ rate without any, at full speed', 'ratio', 'more', 0.75),
  'verified-vs-disk': row(
    'the same rate ÷ that of `dd` writing as many bytes past the page cache and reading them back: what the target’s disk lets a proof have, without any network',
    'of the disk',
    'more',
    null,
  ),
  'verified-vs-unverified-1gbit': row('the same behind a link of 1 Gbit/s', 'ratio', 'more', 0.97),
  'arrival-checksum-cost': row(
    'time with the service’s checksum checked on arrival ÷ time where the service gives none (the read-back is in both)',
    'times',
    'less',
    null,
  ),
  'cpu-s-per-gib': row('CPU of the whole mover, verified, where the service gives no checksum', 's/GiB', 'less', 1.2),
  'cpu-s-per-gib-checked': row('the same where it gives one, and it is checked', 's/GiB', 'less', 1.85),
  'delta-overhead': row(
    '1 % of the bytes in extents of 64 KiB–4 MiB: time ÷ (changed bytes ÷ verified full rate)',
    'times',
    'less',
    1.5,
  ),
  'delta-overhead-small': row('20,000 extents of 4–64 KiB: the same figure', 'times', 'less', 3),
  'cutover-overhead-p95-s': row(
    'from *complete failover* to the target observed running, empty delta, worlds without latency, p95',
    's',
    'less',
    1.5,
  ),
  'disks-64-vs-1': row('rate of 64 disks at once ÷ rate of one disk of the same bytes', 'ratio', 'more', 0.9),
  'sparse-2tib': row('time of a sparse 2 TiB disk with 1 GiB of data ÷ time of a 1 GiB disk', 'times', 'less', 1.2),
  'sparse-2tib-memory': row('peak memory of the former ÷ peak memory of the latter', 'times', 'less', 1.2),
  'used-target': row(
    'disk a second where the target is no new file but one that was used (a disk in place, a hot-added device), so that each of its holes is looked at',
    'GiB/s',
    'more',
    null,
  ),
  'busy-mover-memory': row(
    'peak memory of a real mover, connected to Temporal, with as many disks in hand as it ever takes, in rounds and in cutovers, and the longest lists of changes',
    'MiB',
    'less',
    256,
  ),
  'mover-memory': row('highest peak memory of a mover in all of the above', 'MiB', 'less', 256),
} as const satisfies Record<string, RowPlan>;

export type RowName = keyof typeof rows;
export const rowNames = Object.keys(rows) as RowName[];
export const isRowName = (name: string): name is RowName => Object.hasOwn(rows, name);
