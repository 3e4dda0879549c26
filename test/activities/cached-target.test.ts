/**
 * S3 with a mover's own verbs: a file system that refuses O_DIRECT answers every read-back from the mover's page cache.
 * Rule: the refusal is Node's edge's; what is heard of it is what an operator has: the worker's log and the proofs.
 */

import { refuseDirect } from '../disk/host-edge.ts';
import { onWorkbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, stale, verbsOn } from './mover-verbs.ts';

const cacheTold = expect.stringMatching(/page cache.*S3/);

test.each([
  ['takes O_DIRECT', () => () => undefined, undefined, []],
  ['refuses O_DIRECT', refuseDirect, true, [cacheTold]],
])(
  'S3 a copy and a seal on a file system that %s say in log and proof how they read back',
  async (_, begin, cached, told) => {
    await onWorkbench(stale, async (bench) => {
      const verbs = await verbsOn(bench);
      const cachedOf = [async () => (await verbs.transfer()).cached, async () => (await verbs.seal()).cached];
      const end = begin();
      try {
        for (const verb of cachedOf) {
          const warnings: string[] = [];
          const seen = await inActivity(verb, givingUpAfter(1_000), undefined, undefined, warnings);
          expect([seen, warnings]).toEqual([cached, told]);
        }
      } finally {
        end();
      }
    });
  },
);
