/**
 * The checks whether what comes home fits the machine that stands there: firmware, processors, memory, network cards.
 * Rule: what keeps the machine from booting is refused before anything is copied; what it would only miss is a warning.
 * Where the source does not say a thing, the check says that it was not compared, and never guesses.
 */
import type { Check } from '../../model/check.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Device } from './devices.ts';
import type { Machine } from './inventory.ts';
import type { Host, Shape } from './machine-shape.ts';
import { isA } from './wire/shapes.ts';

export interface Fit {
  readonly request: TargetPreflight;
  readonly target: Machine;
  readonly shape: Shape;
  /** The host the target stands on; undefined when vCenter has it on none. */
  readonly host: Host | undefined;
}

const firmwareOf = { 1: 'bios', 2: 'efi' } as const;

export function firmwareCheck({ request, shape }: Fit): Check {
  const generation = request.source?.generation;
  const wanted = generation && firmwareOf[generation];
  const differs = wanted !== undefined && shape.firmware !== undefined && shape.firmware !== wanted;
  const seen = `the machine at home boots by ${shape.firmware ?? 'an unknown firmware'}`;
  return check({
    id: 'target-firmware',
    subject: request.path,
    wrong: differs ? `${seen}, the source is of generation ${generation} and needs ${wanted}` : undefined,
    right: wanted === undefined ? `${seen}; the source does not say its generation` : `${seen}, as the source does`,
    remedy: `Set its firmware to ${wanted === 'efi' ? 'EFI' : 'BIOS'} in the vSphere Client (Edit Settings, VM Options, Boot Options) while it is off.`,
  });
}

/** A boot loader that nobody signed boots in Azure and does not boot at home. */
export function secureBootCheck({ request, shape }: Fit): Check {
  const source = request.source?.secureBoot === true;
  const [ours, theirs] = [shape.secureBoot ? 'on' : 'off', source ? 'on' : 'off'];
  return check({
    id: 'target-secure-boot',
    subject: request.path,
    wrong: ours === theirs ? undefined : `secure boot is ${ours} at home and ${theirs} in the source`,
    right: `secure boot is ${ours} on both sides`,
    remedy: shape.secureBoot
      ? 'Switch secure boot off at home (Edit Settings, VM Options, Boot Options), unless you know that everything the guest loads is signed.'
      : 'It boots so. Switch secure boot on at home if the machine is to keep that protection.',
    verdict: 'warn',
  });
}

export function cpusCheck({ request, shape, host }: Fit): Check {
  const { cpus } = shape;
  const tooMany = cpus !== undefined && host?.threads !== undefined && cpus > host.threads;
  return check({
    id: 'target-cpus-fit-host',
    subject: request.path,
    wrong: tooMany ? `it has ${cpus} virtual CPUs, ${host.name} has ${host.threads} logical ones` : undefined,
    right: `${cpus ?? 'an unknown number of'} virtual CPUs, ${host?.threads ?? 'an unknown number of'} logical ones on its host`,
    remedy: 'Lower its CPUs, or move it to a host that has as many: with more it is not powered on.',
  });
}

export function memoryCheck({ request, shape, host }: Fit): Check {
  const { memoryMiB } = shape;
  const tooMuch = memoryMiB !== undefined && host?.memoryMiB !== undefined && memoryMiB > host.memoryMiB;
  return check({
    id: 'target-memory-fits-host',
    subject: request.path,
    wrong: tooMuch ? `it has ${memoryMiB} MiB of memory, ${host.name} has ${host.memoryMiB} MiB` : undefined,
    right: `${memoryMiB ?? 'unknown'} MiB of memory, ${host?.memoryMiB ?? 'unknown'} MiB on its host`,
    remedy: 'Lower its memory, or move it to a larger host: it would swap, or not be powered on.',
    verdict: 'warn',
  });
}

/** Fewer than the source has: people will notice that it is slower, not that it does not boot. */
export function sizeCheck({ request, shape }: Fit): Check[] {
  const { source } = request;
  if (source?.cpus === undefined || source.memoryMiB === undefined) return [];
  const { cpus, memoryMiB } = shape;
  const less = (cpus ?? source.cpus) < source.cpus || (memoryMiB ?? source.memoryMiB) < source.memoryMiB;
  const words = `${cpus} CPUs and ${memoryMiB} MiB at home, ${source.cpus} and ${source.memoryMiB} MiB in the source`;
  return [
    check({
      id: 'target-size',
      subject: request.path,
      wrong: less ? words : undefined,
      right: words,
      remedy: 'Give it as much as it uses in the source, or expect it to be slower at home.',
      verdict: 'warn',
    }),
  ];
}

const cardsOf = (devices: readonly Device[]) => devices.filter((device) => isA(device, 'VirtualEthernetCard'));

export function nicsCheck({ request, target }: Fit): Check {
  const cards = cardsOf(target.devices);
  const off = cards.filter((card) => card.connectable?.startConnected === false);
  const needed = request.source?.nics ?? 0;
  const words = `network cards: ${cards.length} at home, ${needed} in the source`;
  return check({
    id: 'target-nics',
    subject: request.path,
    wrong:
      cards.length < needed ? words : off.length > 0 ? `${words}; ${off.length} not connected at power on` : undefined,
    right: words,
    remedy:
      cards.length < needed
        ? 'Add the missing network cards in the vSphere Client, or expect the machine to be without those networks at home.'
        : 'Tick “Connect At Power On” of the network card in the vSphere Client, unless it is meant to be off.',
    verdict: 'warn',
  });
}

/** A port group that the host does not have leaves the machine without its network, or keeps it from starting. */
export function networksCheck({ request, target, host }: Fit): Check {
  const lost = cardsOf(target.devices).flatMap((card) => lostNetwork(card, host));
  return check({
    id: 'target-networks',
    subject: request.path,
    wrong: lost.length > 0 ? `${host?.name ?? 'no host'} has no ${lost.join(', ')}` : undefined,
    right: 'every network card hangs on a port group its host has',
    remedy: 'Choose an existing port group for the network card in the vSphere Client, or make it on the host.',
  });
}

/** Networks of another kind (NSX) have no name that could be compared here. */
function lostNetwork({ backing, key }: Device, host: Host | undefined): string[] {
  const has = (name: string | undefined): boolean =>
    host?.networks.some(({ ref, name: known }) => name !== undefined && (ref.value === name || known === name)) ===
    true;
  if (isA(backing, 'VirtualEthernetCardNetworkBackingInfo'))
    return has(backing.network?.value) || has(backing.deviceName) ? [] : [`port group “${backing.deviceName}”`];
  if (isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo')) {
    const group = backing.port?.portgroupKey;
    return group === undefined || has(group) ? [] : [`distributed port group ${group}`];
  }
  return backing === undefined ? [`network for card ${key}`] : [];
}

export const fitChecks = (fit: Fit): Check[] => [
  firmwareCheck(fit),
  secureBootCheck(fit),
  cpusCheck(fit),
  memoryCheck(fit),
  ...sizeCheck(fit),
  nicsCheck(fit),
  networksCheck(fit),
];
