/** What preflight, the undo and the clean-up do about a policy that takes application-consistent points. */
import type { Sites } from '../../activities/preflight.ts';
import { createRecoveryPointActivities } from '../../activities/recovery-point.ts';
import { createRetireActivities } from '../../activities/retire.ts';
import { parseInventory } from '../../config/load.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { policyOf } from '../../model/inventory.ts';
import { pointsCheck } from '../../model/point-policy.ts';
import { machine, openAzureLab, path, quiet, run } from '../azure/azure-lab.ts';
import { rightText } from '../config/inventory-text.ts';
import { inActivity } from './in-activity.ts';

const policy = policyOf(parseInventory(rightText, 'h.yaml'), 'erp-db');
const source = { site: 'azure', path: 'rg/erp-db' };

test('S001-13 a policy that takes such points without rounds is warned of; one with rounds, or that takes none, is not', () => {
  const takes = { ...policy, applicationPointEverySeconds: 14_400 };
  expect(pointsCheck({ ...takes, sync: 'during' }, source.path)).toMatchObject([
    { id: 'application-point-rounds', verdict: 'warn', remedy: expect.stringContaining('sync: before') },
  ]);
  expect(pointsCheck({ ...takes, sync: 'before' }, source.path)).toEqual([]);
  expect(pointsCheck({ ...policy, sync: 'during' }, source.path)).toEqual([]);
});

test('S000-8 with sync during nobody looks for points that no rights were asked for; with sync before both say which are missing', async () => {
  const lab = await openAzureLab({ deniedActions: ['Microsoft.Compute/restorePointCollections/read'] });
  try {
    const sites = { source: () => lab.source } as unknown as Sites;
    const found = await lab.source.observeMachine(path, quiet());
    const undone = (sync: 'before' | 'during') => {
      const wishes = { ...policy, sync, applicationPointEverySeconds: 14_400 };
      const failback = { machine, source: { site: 'azure', path }, policy: wishes } as FailbackInput;
      return [
        () => createRecoveryPointActivities(sites).releaseRecoveryPoints({ failback, run, before: 'all' }),
        () => createRetireActivities(sites).observeSourceRemains({ failback, run, found }),
      ].map((act) => inActivity(act));
    };
    expect(await Promise.all(undone('during'))).toEqual([[], expect.arrayContaining(['virtual machine erp-db'])]);
    for (const one of await Promise.allSettled(undone('before')))
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('restorePointCollections/read') },
      });
  } finally {
    await lab.close();
  }
});
