/**
 * All suites, in the order they run.
 * Rule: together they measure every row of rows.ts but the memory of all movers, which the run itself adds.
 */
import { busyMover } from './busy-mover.ts';
import { cutover } from './cutover.ts';
import { largeDelta, smallDelta } from './delta-copy.ts';
import { fullCopy, linkCopy } from './full-copy.ts';
import { manyDisks, sparseDisk, usedTarget } from './many-disks.ts';
import type { Suite } from './suite.ts';

export const suites: readonly Suite[] = [
  fullCopy,
  linkCopy,
  largeDelta,
  smallDelta,
  manyDisks,
  sparseDisk,
  usedTarget,
  busyMover,
  cutover,
];
