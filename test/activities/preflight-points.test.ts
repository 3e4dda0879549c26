/** What preflight says of a policy that takes application-consistent points. */
import { pointsCheck } from '../../activities/preflight.ts';
import { parseInventory } from '../../config/load.ts';
import { policyOf } from '../../model/inventory.ts';
import { rightText } from '../config/inventory-text.ts';

const policy = policyOf(parseInventory(rightText, 'h.yaml'), 'erp-db');
const source = { site: 'azure', path: 'rg/erp-db' };

test('S001-13 a policy that takes such points without rounds is warned of; one with rounds, or that takes none, is not', () => {
  const takes = { ...policy, applicationPointEverySeconds: 14_400 };
  expect(pointsCheck({ source, policy: { ...takes, sync: 'during' } })).toMatchObject([
    { id: 'application-point-rounds', verdict: 'warn', remedy: expect.stringContaining('sync: before') },
  ]);
  expect(pointsCheck({ source, policy: { ...takes, sync: 'before' } })).toEqual([]);
  expect(pointsCheck({ source, policy: { ...policy, sync: 'during' } })).toEqual([]);
});
