/**
 * Views of a run as the tests draw them.
 * Rule: fixed times and figures, so that every text is the same on every computer.
 */

import type { View } from '../../client/view.ts';
import type { Phase } from '../../model/phase.ts';
import { phaseTable } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
export const now = Date.parse('2026-11-23T12:00:00.000Z');
export const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

export function statusIn(phase: Phase, more: Partial<Status> = {}): Status {
  const { serves, targetDisks, says } = phaseTable[phase];
  return {
    machine: 'erp-db',
    run: 'run-1',
    source: { site: 'azure-west', path: 'rg-dr/erp-db' },
    target: { site: 'home', path: '/DC0/vm/erp-db' },
    mover: 'm1',
    sync: 'before',
    write: 'in-place',
    phase,
    startedAt: ago(3600),
    phaseSince: ago(720),
    serves,
    targetDisks,
    says,
    refusals: [],
    checks: [],
    disks: [
      { disk: 'os', source: 'erp-db_os', target: '[ds] erp-db/erp-db.vmdk', sizeBytes: 30 * GiB },
      { disk: 'data-0', source: 'erp-db_data', target: '[ds] erp-db/data.vmdk', sizeBytes: 100 * GiB },
    ],
    seals: [],
    record: [],
    ...more,
  };
}

export const viewOf = (status: Status, more: Partial<View> = {}): View => ({
  machine: 'erp-db',
  workflowId: 'machine/erp-db',
  runId: 'run-1',
  execution: 'running',
  startedAt: status.startedAt,
  status,
  transfers: [],
  pending: [],
  ...more,
});

export const silentView: View = {
  machine: 'erp-db',
  workflowId: 'machine/erp-db',
  runId: 'run-1',
  execution: 'running',
  startedAt: ago(3600),
  phaseSeen: 'Syncing',
  silent: 'No worker serves the task queue "control", so the run cannot be asked; start the control worker.',
  transfers: [],
  pending: [],
};

export const syncing: View = viewOf(
  statusIn('Syncing', {
    waitsFor: 'completeFailover',
    refusals: [{ message: 'commit', by: 'bob', at: ago(60), phase: 'Syncing', reason: 'the run is in phase Syncing' }],
  }),
  {
    rounds: {
      done: 2,
      recent: [
        {
          number: 1,
          mode: 'full',
          takenAt: ago(600),
          endedAt: ago(300),
          changedBytes: 130 * GiB,
          copiedBytes: 90 * GiB,
          durationMs: 300_000,
        },
        {
          number: 2,
          mode: 'delta',
          takenAt: ago(120),
          endedAt: ago(106),
          changedBytes: 182 * MiB,
          copiedBytes: 182 * MiB,
          durationMs: 14_000,
        },
      ],
      copiedBytes: 90 * GiB + 182 * MiB,
      changedBytes: 130 * GiB + 182 * MiB,
      now: 'round 3: copying',
    },
    transfers: [
      { disk: 'os', stage: 'copying', doneBytes: 96 * MiB, totalBytes: 128 * MiB, bytesPerSecond: 112 * MiB, epoch: 2 },
      { disk: 'data-0', stage: 'proving', doneBytes: 54 * MiB, totalBytes: 54 * MiB, bytesPerSecond: 0, epoch: 1 },
    ],
    forecast: {
      bytes: { likely: 45 * MiB, low: 20 * MiB, high: 135 * MiB },
      outageSeconds: { likely: 91, low: 30, high: 300 },
      assumed: ['stop', 'seal', 'start'],
    },
    copy: {
      listed: true,
      bytes: { likely: 182 * MiB, low: 182 * MiB, high: 182 * MiB },
      seconds: { likely: 4, low: 3, high: 6 },
    },
  },
);
