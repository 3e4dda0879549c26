/**
 * 64 disks at once against one disk of the same bytes, a huge empty disk against a small full one, and one onto a used target.
 * Rule: same number of data bytes on both sides; the time is that of the last disk.
 */
import { copyVerified, withMover } from './contestants.ts';
import { gib, mib, thirdHoles } from './layout.ts';
import type { StepAnswer } from './mover-run.ts';
import { measured, median, ratios } from './result.ts';
import type { SourceDisk } from './stage.ts';
import { gibOf, interleaved, type Suite } from './suite.ts';

const count = 64;
/** A round that takes longer than this is measured once only, and the first one counts. */
const longSeconds = 120;

const figures = (bytes: number, { seconds, cpuSeconds }: StepAnswer) => ({
  rate: bytes / seconds,
  cpuPerGib: cpuSeconds / gibOf(bytes),
});

export const manyDisks: Suite = {
  rows: ['disks-64-vs-1'],
  async run(stage, plan) {
    const eachBytes = plan.quick ? 4 * mib : 64 * mib;
    const many: SourceDisk[] = [];
    for (let index = 0; index < count; index++)
      many.push(await stage.makeSource(`of-many-${index}`, eachBytes, thirdHoles(eachBytes, index), index));
    const total = many.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
    const one = await stage.makeSource('one', count * eachBytes, thirdHoles(count * eachBytes));
    const rounds = await withMover(stage, (mover) =>
      interleaved(plan, `${count} disks`, async () => ({
        many: figures(total, await copyVerified(stage, plan, mover, many, { checked: true })),
        one: figures(one.dataBytes, await copyVerified(stage, plan, mover, [one], { checked: true })),
      })),
    );
    for (const disk of [...many, one]) await stage.removeSource(disk);
    const rate = (which: 'many' | 'one'): number[] => rounds.map((round) => round[which].rate);
    const told = (which: 'many' | 'one'): string => {
      const cpu = median(rounds.map((round) => round[which].cpuPerGib));
      return `${Math.round(median(rate(which)) / mib)} MiB/s and ${cpu.toFixed(2)} s/GiB of CPU`;
    };
    const note = `${count} disks ${told('many')}; one disk ${told('one')}`;
    return [measured('disks-64-vs-1', ratios(rate('many'), rate('one')), note)];
  },
};

export const sparseDisk: Suite = {
  rows: ['sparse-2tib', 'sparse-2tib-memory'],
  async run(stage, plan) {
    const dataBytes = plan.quick ? gib / 8 : gib;
    const sizeBytes = plan.quick ? 16 * gib : 2048 * gib;
    const full = await stage.makeSource('small', dataBytes, [{ start: 0, end: dataBytes }]);
    // The same bytes in 16 pieces, strewn over the huge disk.
    const piece = dataBytes / 16;
    const strewn = Array.from({ length: 16 }, (_, index) => {
      const start = Math.floor(((sizeBytes - piece) * index) / 15 / mib) * mib;
      return { start, end: start + piece };
    });
    const huge = await stage.makeSource('huge', sizeBytes, strewn);
    // A mover each, because memory is counted by its peak.
    const rounds = await withMover(stage, (one) =>
      withMover(stage, async (other) => {
        const round = async () => ({
          full: await copyVerified(stage, plan, one, [full], { checked: true }),
          huge: await copyVerified(stage, plan, other, [huge], { checked: true }),
        });
        plan.say('sparse disk: a first look');
        const first = await round();
        // Minutes against seconds: more of the same would not change what the row says.
        return first.huge.seconds > longSeconds ? [first] : await interleaved(plan, 'sparse disk', round);
      }),
    );
    for (const disk of [full, huge]) await stage.removeSource(disk);
    const seconds = (which: 'full' | 'huge'): number[] => rounds.map((round) => round[which].seconds);
    const peaks = (which: 'full' | 'huge'): number[] => rounds.map((round) => round[which].peakMiB);
    plan.size({
      sizeBytes: dataBytes,
      dataBytes,
      seconds: median(seconds('full')),
      peakMiB: Math.max(...peaks('full')),
    });
    plan.size({ sizeBytes, dataBytes, seconds: median(seconds('huge')), peakMiB: Math.max(...peaks('huge')) });
    const smaller = plan.quick ? 'quick: 16 GiB with 128 MiB of data; ' : '';
    const note = `${smaller}${median(seconds('huge')).toFixed(2)} s against ${median(seconds('full')).toFixed(2)} s`;
    const memory = `${smaller}${median(peaks('huge')).toFixed(0)} MiB against ${median(peaks('full')).toFixed(0)} MiB`;
    return [
      measured('sparse-2tib', ratios(seconds('huge'), seconds('full')), note),
      measured('sparse-2tib-memory', ratios(peaks('huge'), peaks('full')), memory),
    ];
  },
};

export const usedTarget: Suite = {
  rows: ['used-target'],
  async run(stage, plan) {
    const sizeBytes = (plan.quick ? 4 : 64) * gib;
    const dataBytes = 64 * mib;
    const disk = await stage.makeSource('mostly-holes', sizeBytes, [{ start: 0, end: dataBytes }]);
    const seconds = await withMover(stage, (mover) =>
      interleaved(plan, 'used target', async () => {
        return (await copyVerified(stage, plan, mover, [disk], { checked: true, used: true })).seconds;
      }),
    );
    await stage.removeSource(disk);
    const note = `${gibOf(sizeBytes)} GiB, 64 MiB of it data, in ${median(seconds).toFixed(1)} s`;
    return [
      measured(
        'used-target',
        seconds.map((each) => gibOf(sizeBytes) / each),
        note,
      ),
    ];
  },
};
