/**
 * The program the lost-write test runs under strace: one full copy, then what it ended with on the standard output.
 * Rule: the words are `failureOf`'s, or `done`. Never catches more than the engine's own failures.
 */
import type { TargetDiskOptions } from '../../disk/target-disk.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import { Failure } from '../../model/failure.ts';
import { ImagePoint, patternImage } from './workbench.ts';

const [options, zeros] = JSON.parse(process.argv[2] ?? '') as [TargetDiskOptions, readonly [number, number]];
const source = new ImagePoint(patternImage(1, options.sizeBytes).fill(0, ...zeros));
const signal = new AbortController().signal;
try {
  await transferDisk({ ...options, inFlight: 1, source, point: 'p0', signal, report: () => undefined });
  console.log('done');
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.log(`${error.kind} ${error.op}`);
}
