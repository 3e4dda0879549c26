/**
 * What a running machine writes to its virtual disks, as vCenter's performance counter tells it.
 * Rule: only real-time samples are asked for, which the host itself took: one for each 20 seconds, kept for an hour, whatever
 * collection level vCenter has. Changes nothing; what vCenter does not tell is a failure that says so, never a zero.
 */
import { corrupt, refused } from '../../model/failure.ts';
import type { WriteSample } from '../../model/written.ts';
import type { Work } from '../source.ts';
import type { Writes, WritesRequest } from '../target.ts';
import { type Machine, machineMissing, type Vcenter } from './inventory.ts';
import { needOurs } from './power.ts';
import { readObject } from './properties.ts';
import { findTarget } from './run-machine.ts';
import { required } from './session.ts';
import { isA, type Ref, type Vim } from './wire/shapes.ts';

/** The `intervalId` by which real-time samples are asked for, in seconds. */
const realTime = 20;

/** KBps, the rate's unit, counts in units of so many bytes. */
const kilobyte = 1024;

/** `virtualDisk.write.average`: a rate for each virtual disk. vCenter gives counters their numbers at its installation. */
const isWriteRate = ({ groupInfo, nameInfo, rollupType, unitInfo }: Vim<'PerfCounterInfo'>): boolean =>
  groupInfo?.key === 'virtualDisk' &&
  nameInfo?.key === 'write' &&
  rollupType === 'average' &&
  unitInfo?.key === 'kiloBytesPerSecond';

/** Asked anew each time: a vCenter that was set up anew may give the number to another counter. */
async function writeRate(at: Vcenter, manager: Ref, work: Work): Promise<number> {
  const { values } = await readObject(at.session, manager, ['perfCounter'], work, 'performance counters');
  const counters = (values.get('perfCounter') as readonly Vim<'PerfCounterInfo'>[] | undefined) ?? [];
  const counter = counters.find(isWriteRate)?.key;
  if (counter !== undefined) return counter;
  throw refused({
    op: 'QueryPerf',
    subject: at.site,
    message: 'this vCenter has no counter virtualDisk.write.average',
    hint: 'What a machine writes at home stays uncounted.',
  });
}

async function needTarget(at: Vcenter, request: WritesRequest, work: Work): Promise<Machine> {
  const machine = await findTarget(at, request, work);
  if (!machine) throw machineMissing(request.path);
  needOurs(machine, request, 'QueryPerf');
  return machine;
}

/**
 * All disks' samples of one answer, summed by their time; `diskCount`: of the machine. -1 stands for a value that is missing, and
 * a disk may have no values at all: then it is partly known. Corrupt when they do not fit.
 */
export function samplesIn(answer: readonly Vim<'PerfEntityMetricBase'>[], diskCount: number): WriteSample[] {
  return answer
    .filter((one) => isA(one, 'PerfEntityMetric'))
    .flatMap(({ sampleInfo = [], value = [] }) => {
      // An empty instance would be the sum of the others.
      const disks = value.filter((one) => isA(one, 'PerfMetricIntSeries')).filter(({ id }) => id?.instance !== '');
      if (disks.some((disk) => disk.value?.length !== sampleInfo.length)) throw misfit();
      return sampleInfo.flatMap(({ timestamp = '', interval = 0 }, index) => {
        const rates = disks.map((disk) => disk.value?.[index] ?? -1).filter((rate) => rate >= 0);
        const bytes = rates.reduce((sum, rate) => sum + rate * kilobyte * interval, 0);
        const partly = rates.length < diskCount ? { partly: true as const } : {};
        return rates.length === 0 ? [] : [{ at: timestamp, seconds: interval, bytes, ...partly }];
      });
    });
}

const misfit = () =>
  corrupt({
    op: 'QueryPerf',
    subject: 'virtualDisk.write.average',
    message: 'vCenter tells more or fewer values than samples',
    hint: 'What a machine writes at home stays uncounted: report it with this message.',
  });

/** Samples that end after `after`, or since the machine was switched on. Refused when it is not the run's, or not there. */
export async function observeWrites(at: Vcenter, request: WritesRequest, work: Work): Promise<Writes> {
  const { ref, disks } = await needTarget(at, request, work);
  const subject = request.path;
  const manager = required((await at.session.content(work)).perfManager, 'performance manager');
  const counterId = await writeRate(at, manager, work);
  const { values } = await readObject(at.session, ref, ['summary.runtime.bootTime'], work, subject);
  const bootedAt = values.get('summary.runtime.bootTime') as string | undefined;
  const startTime = request.after ?? bootedAt;
  const query = {
    entity: ref,
    ...(startTime !== undefined && { startTime }),
    metricId: [{ counterId, instance: '*' }],
    intervalId: realTime,
  };
  const answer = await at.session.call('QueryPerf', manager, { querySpec: [query] }, work, { subject });
  return { ...(bootedAt !== undefined && { startedAt: bootedAt }), samples: samplesIn(answer, disks.length) };
}
