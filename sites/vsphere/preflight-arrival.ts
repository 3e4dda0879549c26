/**
 * The checks of what only some policies want at home: scripts in the guest, and a boot apart from everybody first; and of
 * what such a boot left on the machine, whoever wanted it.
 * Rule: the rest is asked only where the policy wants it; changes nothing.
 */
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import type { ArrivalWish } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Machine, Vcenter } from './inventory.ts';
import type { Host } from './machine-shape.ts';
import { askRights, type RightsQuestion } from './preflight-surroundings.ts';
import { hasProof } from './proof-mark.ts';
import { backingsOf, canBePutBack, nicsOf, proofByHand, readProof } from './put-back.ts';
import { isA } from './wire/shapes.ts';

const forScripts = ['VirtualMachine.GuestOperations.Execute', 'VirtualMachine.GuestOperations.Query'];
const forProof = ['VirtualMachine.Config.EditDevice'];

/** The machine, or the folder whose rights one that is to be made will inherit. */
type Asked = Pick<Machine, 'path' | 'ref'>;
type HostNetworks = Pick<Host, 'name' | 'networks'>;

export async function arrivalChecks(
  at: Vcenter,
  wish: ArrivalWish & { readonly run?: string },
  { target, host }: { readonly target: Machine; readonly host: Host | undefined },
  work: Work,
): Promise<Check[]> {
  const putsBack = wish.prove === true || hasProof(target);
  // Where its NICs hang, because they are connected there again afterwards.
  const back = putsBack && host ? networksOf(target, host) : [];
  const nics = wish.prove ? [putBackCheck(target)] : [];
  return [
    proofLeftCheck(target, wish.run),
    ...nics,
    ...(await wishChecks(at, { ...wish, putsBack, back }, { target, host }, work)),
  ];
}

/** The same for a machine that is to be made in this folder, on this host. */
export const newArrivalChecks = (
  at: Vcenter,
  wish: ArrivalWish,
  { folder, host }: { readonly folder: Asked; readonly host: HostNetworks | undefined },
  work: Work,
): Promise<Check[]> =>
  wishChecks(at, { ...wish, putsBack: wish.prove === true, back: [] }, { target: folder, host }, work);

async function wishChecks(
  at: Vcenter,
  { scripts, prove, putsBack, back }: ArrivalWish & { readonly putsBack: boolean; readonly back: Host['networks'] },
  { target, host }: { readonly target: Asked; readonly host: HostNetworks | undefined },
  work: Work,
): Promise<Check[]> {
  const { isolatedNetwork } = at;
  const wanted = [...(scripts ? forScripts : []), ...(putsBack ? forProof : [])];
  const isolated = host?.networks.filter(({ name }) => prove && name === isolatedNetwork) ?? [];
  const rights: RightsQuestion[] = [
    ...(wanted.length > 0 ? [[target.path, target.ref, wanted] as const] : []),
    ...[...new Set([...isolated, ...back])].map(({ name, ref }) => [name, ref, ['Network.Assign']] as const),
  ];
  return [...(prove ? [isolationCheck(target, host, isolatedNetwork)] : []), ...(await askRights(at, rights, work))];
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
function proofLeftCheck(target: Machine, run: string | undefined): Check {
  const readable = readProof(target) !== undefined;
  const own = run !== undefined && target.mark?.run === run && readable;
  return check({
    id: 'target-proof-left',
    subject: target.path,
    wrong:
      hasProof(target) && !own
        ? `a run that is gone left ${target.name} on the isolated network, with disks that forget what is written${readable ? '' : '; how it was before cannot be read'}`
        : undefined,
    right:
      own && hasProof(target)
        ? `run ${run}, which is under way, proves it apart`
        : 'no run has left it set up to be proven apart',
    remedy: readable ? 'Nothing to do: this run puts its NICs and disks back as they were.' : proofByHand,
    verdict: readable ? 'warn' : 'refuse',
  });
}

/** The proof takes each NIC off its network; one on an NSX (opaque) network could not be put back. */
function putBackCheck(target: Machine): Check {
  // Of one that is set up already the mark tells how it was.
  const lost = (readProof(target) ? [] : nicsOf(target)).filter(({ backing }) => !canBePutBack(backing));
  const words = lost.map(({ key, backing }) => `NIC ${key} is connected by ${backing?.$type ?? 'nothing'}`);
  return check({
    id: 'target-nics-put-back',
    subject: target.path,
    wrong: lost.length > 0 ? `${words.join('; ')}: it could not be put back after the proof` : undefined,
    right: 'every NIC can be put back after the proof',
    remedy:
      'Connect the NIC to a standard or distributed port group (an NSX network is none here), or take prove: isolated out of the policy and start again.',
  });
}

function isolationCheck(target: Asked, host: HostNetworks | undefined, isolatedNetwork: string | undefined): Check {
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
