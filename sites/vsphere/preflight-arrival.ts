/**
 * The checks of what only some policies want at home: scripts in the guest, and a boot apart from everybody first.
 * Rule: asked only where the policy wants it; changes nothing.
 */
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Machine, Vcenter } from './inventory.ts';
import type { Host } from './machine-shape.ts';
import { askRights } from './preflight-surroundings.ts';

const forScripts = ['VirtualMachine.GuestOperations.Execute', 'VirtualMachine.GuestOperations.Query'];
const forProof = ['VirtualMachine.Config.EditDevice'];

export async function arrivalChecks(
  at: Vcenter,
  { scripts, prove }: TargetPreflight,
  { target, host, isolatedNetwork }: { target: Machine; host: Host | undefined; isolatedNetwork: string | undefined },
  work: Work,
): Promise<Check[]> {
  const wanted = [...(scripts ? forScripts : []), ...(prove ? forProof : [])];
  const network = host?.networks.find(({ name }) => name === isolatedNetwork);
  const rights = [
    ...(wanted.length > 0 ? [[target.path, target.ref, wanted] as const] : []),
    ...(prove && network ? [[network.name, network.ref, ['Network.Assign']] as const] : []),
  ];
  return [...(prove ? [isolationCheck(target, host, isolatedNetwork)] : []), ...(await askRights(at, rights, work))];
}

function isolationCheck(target: Machine, host: Host | undefined, isolatedNetwork: string | undefined): Check {
  const there = host?.networks.some(({ name }) => name === isolatedNetwork) === true;
  return check({
    id: 'target-isolated-network',
    subject: target.path,
    wrong: there
      ? undefined
      : isolatedNetwork === undefined
        ? 'the policy proves apart first, and the site names no isolatedNetwork'
        : `${host?.name ?? 'its host'} has no port group called ${isolatedNetwork}`,
    right: `${isolatedNetwork} is there on the host of the machine`,
    remedy:
      'Make a port group that leads nowhere on the host and name it as isolatedNetwork of the site, then check again.',
  });
}
