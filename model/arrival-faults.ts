/**
 * What a policy says of arriving and cannot mean: a commit approved under no condition, a script without a login.
 * Rule: each fault names the keys of the value that is wrong, as model/inventory-faults.ts does for the rest.
 */
import { type Inventory, type Policy, soundPolicy } from './inventory.ts';
import type { InventoryFault } from './inventory-faults.ts';
import { ownSteps } from './tools-step.ts';

/** A name that comes twice would make two things one in the record. */
function twice(names: readonly { readonly name: string }[]): string | undefined {
  return names.find(({ name }, at) => names.findIndex((one) => one.name === name) !== at)?.name;
}

function policyFaults(key: string, policy: Policy): InventoryFault[] {
  const at = (...rest: string[]): string[] => ['policies', key, ...rest];
  const found: InventoryFault[] = [];
  const { commit, probes } = policy;
  if (commit.approved && probes.length === 0)
    found.push({
      at: at('commit', 'approved'),
      message: 'a commit is approved beforehand only under a condition: write at least one probe',
    });
  if (commit.rollback && probes.length === 0)
    found.push({ at: at('commit', 'rollback'), message: 'there is no probe that could fail: write at least one' });
  const own = policy.beforeStop.find(({ name }) => ownSteps.includes(name));
  if (own)
    found.push({
      at: at('beforeStop'),
      message: `"${own.name}" is the name of a script of Homeward's own: take another`,
    });
  for (const part of ['beforeStop', 'afterStart', 'probes'] as const) {
    const name = twice(policy[part]);
    if (name !== undefined) found.push({ at: at(part), message: `two of them are called "${name}"` });
  }
  return found;
}

/** Whether scripts of the policy run in the guest at home. */
export const runsInGuest = ({ afterStart, probes }: Policy): boolean =>
  afterStart.length > 0 || probes.some(({ kind }) => kind === 'script');

/** What a preflight of home is asked with, so that rights and networks count only where the policy needs them. */
export const arrivalWish = (policy: Policy): { readonly scripts?: true; readonly prove?: true } => ({
  ...(runsInGuest(policy) ? { scripts: true } : {}),
  ...(policy.prove === 'isolated' ? { prove: true } : {}),
});

export function arrivalFaults(parsed: Inventory): InventoryFault[] {
  const policies = new Map(Object.entries(parsed.policies).map(([key, raw]) => [key, soundPolicy(raw)]));
  const found = [...policies].flatMap(([key, policy]) => (policy ? policyFaults(key, policy) : []));
  for (const [key, machine] of Object.entries(parsed.machines)) {
    const policy = policies.get(machine.policy);
    if (policy === undefined) continue;
    if (runsInGuest(policy) && machine.guest === undefined)
      found.push({
        at: ['machines', key, 'policy'],
        message: `policy "${machine.policy}" runs scripts in the guest at home: give the machine guest: {user: …, password: {env: …}}`,
      });
    const site = parsed.sites[machine.target.site];
    if (policy.prove === 'isolated' && site?.kind === 'vsphere' && site.isolatedNetwork === undefined)
      found.push({
        at: ['machines', key, 'policy'],
        message: `policy "${machine.policy}" proves on an isolated network: give site "${machine.target.site}" isolatedNetwork: <port group>`,
      });
  }
  return found;
}
