/**
 * The memory of a mover as it runs in the field, at its busiest: a process of its own, connected to Temporal, with as many
 * disks in hand as it ever takes, in rounds and in cutovers, and with the longest lists of changes.
 * Rule: the peak is what the kernel counted of the process (VmHWM), its libraries' text included. The copies are ended when
 * it was seen long enough: each was begun, none is meant to end.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { moverPlaces } from '../activities/in-hand.ts';
import type { TransferInput } from '../activities/transfer.ts';
import { type Child, startChild } from '../lab/child.ts';
import { pointAtLab } from '../lab/own-temporal.ts';
import { startTemporal, type TemporalServer } from '../lab/temporal.ts';
import { moverQueue } from '../model/failback-input.ts';
import { processOptions } from '../setup/process-options.mjs';
import { programPath } from '../setup/programs.mjs';
import { gib, kib, mib, type Range } from './layout.ts';
import { measured, type Result } from './result.ts';
import type { SourceDisk, Stage } from './stage.ts';
import type { Plan, Suite } from './suite.ts';

/** One in a cutover and the others in rounds, which wait until there is room for their lists. */
const longLists = 6;
/** Every place for a copy is taken. */
const disks = { rounds: moverPlaces.rounds - (longLists - 1), cutovers: moverPlaces.cutovers - 1 } as const;
/** Longer than a mover takes into its memory as they are (disk/change-list.ts). */
const rangesOfLong = 700_000;
/** A mover asks for work one by one: it takes half of it to have all in hand. */
const seenSeconds = 60;

const every = (count: number, stepBytes: number, bytes: number): Range[] =>
  Array.from({ length: count }, (_, index) => ({ start: index * stepBytes, end: index * stepBytes + bytes }));

async function allAtOnce(stage: Stage, plain: SourceDisk, long: SourceDisk): Promise<TransferInput[]> {
  const ask = async (disk: SourceDisk, family: string, urgent: boolean): Promise<TransferInput> => ({
    ...stage.transfer(await stage.makeTarget(disk.sizeBytes), stage.publish(disk, family, { checked: true })),
    urgent,
  });
  const inputs: TransferInput[] = [];
  for (let index = 0; index < longLists; index++) inputs.push(await ask(long, `long-${index}`, index === 0));
  for (let index = 0; index < disks.rounds + disks.cutovers; index++)
    inputs.push(await ask(plain, `plain-${index}`, index < disks.cutovers));
  return inputs;
}

async function startMover(stage: Stage, temporal: TemporalServer): Promise<Child> {
  const { file, flags, env } = await processOptions('workers/mover.ts', process.execPath, console.warn);
  const variables: NodeJS.ProcessEnv = { ...env };
  pointAtLab(temporal, variables);
  return startChild({
    name: 'busy-mover',
    program: process.execPath,
    args: [...flags, file, '--config', stage.config],
    logFolder: stage.folder,
    ready: { lineWith: 'ready' },
    env: variables,
  });
}

/** In MiB. */
async function peakOf({ pid, logFile }: Child): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kibibytes === undefined) throw new Error(`the busy mover is gone; its log: ${logFile}`);
  return Number(kibibytes) / kib;
}

async function oneRound(stage: Stage, temporal: TemporalServer, inputs: readonly TransferInput[]): Promise<number> {
  const mover = await startMover(stage, temporal);
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const { activity } = new Client({ connection, namespace: temporal.namespace });
    const taskQueue = moverQueue('mover-1');
    const times = {
      startToCloseTimeout: '1 hour',
      heartbeatTimeout: '1 minute',
      retry: { maximumAttempts: 1 },
    } as const;
    const begun = await Promise.all(
      inputs.map((input) =>
        activity.start('transferDisk', { ...times, id: `copy-${input.disk.uuid}`, taskQueue, args: [input] }),
      ),
    );
    await pause(seenSeconds * 1000);
    for (const one of begun) {
      const { status } = await one.describe();
      if (status !== 'RUNNING' && status !== 'COMPLETED') throw new Error(`a copy of the busy mover ${status}`);
    }
    const peak = await peakOf(mover);
    for (const one of begun) await one.terminate('it was seen').catch(() => undefined);
    return peak;
  } finally {
    await connection.close();
    await mover.kill();
  }
}

export const busyMover: Suite = {
  rows: ['busy-mover-memory'],
  async run(stage: Stage, plan: Plan): Promise<Result[]> {
    const plain = await stage.makeSource('plain', 64 * gib, every(512, 128 * mib, mib));
    const tib = 1024 * gib;
    const step = Math.floor(tib / rangesOfLong / (4 * kib)) * 4 * kib;
    // What its many pages hold does not matter, only that they are named.
    const long = await stage.makeSource('long', tib, [], 1, every(rangesOfLong, step, 4 * kib));
    const temporal = await startTemporal(await programPath('temporal'), stage.folder);
    try {
      const peaks: number[] = [];
      for (let round = 1; round <= (plan.quick ? 1 : plan.rounds); round++) {
        const peak = await oneRound(stage, temporal, await allAtOnce(stage, plain, long));
        plan.say(`busy mover: round ${round}: ${peak.toFixed(0)} MiB`);
        plan.peak(peak);
        peaks.push(peak);
        await stage.clear();
      }
      const note = `${disks.rounds + disks.cutovers} disks at once and ${longLists} long lists, ${disks.cutovers + 1} of them in cutovers`;
      return [measured('busy-mover-memory', peaks, note, (all) => Math.max(...all))];
    } finally {
      await temporal.stop();
      for (const disk of [plain, long]) await stage.removeSource(disk);
    }
  },
};
