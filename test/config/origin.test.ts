/** The origin of a machine as it is written: what is taken, what is told as wrong, and that a run is started with it. */
import { parseInventory } from '../../config/load.ts';
import { failbackInput } from '../../model/failback-input.ts';
import { changed, problemsOf, rightText } from './inventory-text.ts';

const withOrigin = (text: string): string => changed('    mover: m1\n', `    mover: m1\n    origin: ${text}\n`);

test('S000-12 S000-14 the origin of a machine is written in the inventory, and a run is started with it', () => {
  const text = withOrigin('{ kind: physical, os: Windows Server 2008 R2 SP1 }');
  const origin = { kind: 'physical', os: 'Windows Server 2008 R2 SP1', state: 'failed-over' };
  expect(failbackInput(parseInventory(text, 'h.yaml'), 'erp-db')).toMatchObject({ origin });
  expect(failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db')).not.toHaveProperty('origin');
});

test('an origin of no kind, or in a state that there is not, is told with its line', () => {
  expect(problemsOf(withOrigin('{ kind: xen }')).join('\n')).toMatch(/machines\.erp-db\.origin\.kind/);
  expect(problemsOf(withOrigin('{ kind: vmware, state: migratet }')).join('\n')).toMatch(
    /machines\.erp-db\.origin\.state/,
  );
});

test('S000-22 a machine waits 15 minutes for the agent in its guest unless its policy says another time', () => {
  expect(failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db')?.policy.guestAgentWithinSeconds).toBe(900);
  const sooner = changed('    sync: during\n', '    sync: during\n    guestAgentWithinSeconds: 60\n');
  expect(failbackInput(parseInventory(sooner, 'h.yaml'), 'erp-db')?.policy.guestAgentWithinSeconds).toBe(60);
});
