/**
 * A mover: carries bytes from recovery points to open disks, beside the disks. Its name pins its task queue and its state.
 * Run: npm run mover -- --config homeward.yaml --id mover-1
 */
import { countingAttempts } from '../activities/all-attempts.ts';
import { moverSlots } from '../activities/in-hand.ts';
import { createMoverActivities } from '../activities/transfer.ts';
import { moverQueue } from '../model/failback-input.ts';
import { openMoverParts } from './mover-parts.ts';
import { runWorker } from './start.ts';

// Node cuts small buffers from pieces of this length: one that lives long keeps its whole piece, 64 KiB by default.
Buffer.poolSize = 8 * 1024;

await runWorker('mover', async ({ loaded, id }) => {
  const parts = await openMoverParts(loaded, id);
  const verbs = createMoverActivities(parts);
  return {
    alone: true,
    options: {
      taskQueue: moverQueue(parts.name),
      activities: { ...verbs, transferDisk: countingAttempts(verbs.transferDisk) },
      // Work is taken at once and waits for its turn inside, so that a busy mover never looks like one that nobody runs.
      maxConcurrentActivityTaskExecutions: moverSlots,
      activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
    },
    close: () => parts.close(),
  };
});
