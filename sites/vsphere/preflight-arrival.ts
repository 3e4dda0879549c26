/**
 * The checks of what only some policies want at home: scripts in the guest, and a boot apart from everybody first; and of
 * what such a boot left on the machine, whoever wanted it.
 * Rule: the rest is asked only where the policy wants it; changes nothing.
 */
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Machine, Vcenter } from './inventory.ts';
import type { Host } from './machine-shape.ts';
import { askRights, type RightsQuestion } from './preflight-surroundings.ts';
import { hasProof } from './proof-mark.ts';
import { backingsOf, proofByHand, readProof } from './put-back.ts';
import { isA } from './wire/shapes.ts';

const forScripts = ['VirtualMachine.GuestOperations.Execute', 'VirtualMachine.GuestOperations.Query'];
const forProof = ['VirtualMachine.Config.EditDevice'];

export async function arrivalChecks(
  at: Vcenter,
  { scripts, prove }: TargetPreflight,
  { target, host, isolatedNetwork }: { target: Machine; host: Host | undefined; isolatedNetwork: string | undefined },
  work: Work,
): Promise<Check[]> {
  const putsBack = prove || hasProof(target);
  const wanted = [...(scripts ? forScripts : []), ...(putsBack ? forProof : [])];
  const isolated = host?.networks.filter(({ name }) => prove && name === isolatedNetwork) ?? [];
  // Where its NICs hang, because they are connected there again afterwards.
  const networks = new Set([...isolated, ...(putsBack && host ? networksOf(target, host) : [])]);
  const rights: RightsQuestion[] = [
    ...(wanted.length > 0 ? [[target.path, target.ref, wanted] as const] : []),
    ...[...networks].map(({ name, ref }) => [name, ref, ['Network.Assign']] as const),
  ];
  const checks = [proofLeftCheck(target), ...(prove ? [isolationCheck(target, host, isolatedNetwork)] : [])];
  return [...checks, ...(await askRights(at, rights, work))];
}

function networksOf(target: Machine, { networks }: Host): Host['networks'] {
  const backings = backingsOf(target);
  return networks.filter(({ name, ref }) =>
    backings.some((backing) =>
      isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo')
        ? backing.port?.portgroupKey === ref.value
        : isA(backing, 'VirtualEthernetCardNetworkBackingInfo') && backing.deviceName === name,
    ),
  );
}

/** S3, S11: what users wrote in such a machine would be forgotten, and nobody could reach it. */
function proofLeftCheck(target: Machine): Check {
  const readable = readProof(target) !== undefined;
  return check({
    id: 'target-proof-left',
    subject: target.path,
    wrong: hasProof(target)
      ? `a run that is gone left ${target.name} on the isolated network, with disks that forget what is written${readable ? '' : '; how it was before cannot be read'}`
      : undefined,
    right: 'no run has left it set up to be proven apart',
    remedy: readable ? 'Nothing to do: this run puts its NICs and disks back as they were.' : proofByHand,
    verdict: readable ? 'warn' : 'refuse',
  });
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
