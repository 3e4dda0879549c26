/**
 * What another machine may have already of the one that is to be made: its name, its BIOS UUID, the MACs of its NICs.
 * Rule: a clash is found before anything is made and names who has it; vCenter itself would only write an event (S000-9).
 * Nobody is told to remove a machine of ours: while its run lives it may be the one that serves.
 * Changes nothing.
 */
import type { Check } from '../../model/check.ts';
import { nameAt } from '../../model/creation.ts';
import type { Work } from '../source.ts';
import type { NewPlacePreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import type { Device } from './devices.ts';
import { findMachine, type Machine, type Vcenter } from './inventory.ts';
import { type Mark, readMark } from './marks.ts';
import { freeName, holdersOfUuid, nameHolders, uuidRemedy } from './new-machine.ts';
import { readAll } from './properties.ts';
import { isA, type Ref, type Vim } from './wire/shapes.ts';

/** `own`: the machine that the run under way has made already. */
export async function nameCheck(
  at: Vcenter,
  { path, machine }: NewPlacePreflight,
  own: Machine | undefined,
  work: Work,
): Promise<Check> {
  if (own)
    return check({
      id: 'new-name-free',
      subject: path,
      right: `${own.name} is this run’s own machine`,
      remedy: nameRemedy(own.mark),
    });
  const mark = (await findMachine(at, path, work))?.mark;
  const free = await freeName(at, path, machine, work);
  const name = nameAt(path);
  const renamed = free !== undefined && free !== name;
  const holder = mark ? ` by a machine with the record of run ${mark.run}` : '';
  const becomes = renamed ? `; the new machine will be called ${free}` : '';
  return check({
    id: 'new-name-free',
    subject: path,
    wrong: free === name ? undefined : `${name} is taken already${holder}${becomes}`,
    right: `${name} is free`,
    remedy: renamed ? 'Nothing to do if that name will do; else choose another in target.path.' : nameRemedy(mark),
    verdict: renamed ? 'warn' : 'refuse',
  });
}

const nameRemedy = (mark: Mark | undefined): string =>
  mark
    ? `Let run ${mark.run} end, or take it back. If it is gone for good, delete that machine with its disks in the vSphere Client; or choose another name in target.path.`
    : 'Choose another folder or name in target.path, or onNameClash: suffix, or remove the machine that stands there once you know that nobody needs it.';

/** What another machine may have already: the BIOS UUID, and MACs in the same network. */
export async function identityChecks(
  at: Vcenter,
  { path, machine }: NewPlacePreflight,
  own: Machine | undefined,
  work: Work,
): Promise<Check[]> {
  const { biosUuid, nics } = machine;
  const checks: Check[] = [];
  if (biosUuid !== undefined) {
    const all = await holdersOfUuid(at, biosUuid, work);
    const holders = all.filter(({ ref }) => ref.value !== own?.ref.value);
    const run = holders.find(({ mark }) => mark)?.mark?.run;
    checks.push(
      check({
        id: 'new-uuid-free',
        requirement: 'S000-9',
        subject: path,
        wrong: holders.length > 0 ? `BIOS UUID ${biosUuid} belongs to ${nameHolders(holders)} already` : undefined,
        right: `no ${own ? 'other ' : ''}machine has BIOS UUID ${biosUuid}`,
        remedy: run === undefined ? uuidRemedy : runRemedy(run, 'leave create.biosUuid out to get a new one'),
      }),
    );
  }
  const wanted = nics.filter((nic) => nic.mac !== undefined);
  if (wanted.length === 0) return checks;
  const cards = (await allCards(at, work)).filter(({ ref }) => ref.value !== own?.ref.value);
  for (const { name, mac, network } of wanted) {
    const same = cards.filter((card) => card.mac === mac && card.network === network);
    const run = same.find((card) => card.run !== undefined)?.run;
    checks.push(
      check({
        id: 'new-mac-free',
        subject: name,
        wrong:
          same.length > 0 ? `${same.map((card) => card.machine).join(', ')} has MAC ${mac} in ${network}` : undefined,
        right: `nobody ${own ? 'else ' : ''}has MAC ${mac} in ${network}`,
        remedy:
          run === undefined
            ? 'Remove that machine’s NIC if it is the lost original, or give this NIC another MAC under create.macs.'
            : runRemedy(run, 'give this NIC another MAC under create.macs'),
      }),
    );
  }
  return checks;
}

/** A machine with a record of ours is a run's to give back, and may be the only one that serves. */
const runRemedy = (run: string, otherwise: string): string =>
  `That machine is run ${run}’s and may be the one that serves: let that run end, or take it back; or ${otherwise}.`;

interface Card {
  readonly ref: Ref;
  /** Of the record that the machine carries. */
  readonly run: string | undefined;
  readonly machine: string;
  readonly mac: string;
  readonly network: string;
}

async function allCards(at: Vcenter, work: Work): Promise<Card[]> {
  const groups = await readAll(at.session, 'DistributedVirtualPortgroup', ['name', 'key'], work);
  const nameOfKey = new Map(groups.map(({ values }) => [String(values.get('key')), String(values.get('name'))]));
  const machines = await readAll(
    at.session,
    'VirtualMachine',
    ['name', 'config.hardware.device', 'config.extraConfig'],
    work,
  );
  return machines.flatMap(({ ref, values }) =>
    ((values.get('config.hardware.device') as readonly Device[] | undefined) ?? []).flatMap((device) =>
      isA(device, 'VirtualEthernetCard')
        ? [
            {
              ref,
              run: readMark((values.get('config.extraConfig') as readonly Vim<'OptionValue'>[] | undefined) ?? [])?.run,
              machine: String(values.get('name') ?? ''),
              mac: (device.macAddress ?? '').toLowerCase(),
              network: networkName(device.backing, nameOfKey),
            },
          ]
        : [],
    ),
  );
}

function networkName(
  backing: Vim<'VirtualDeviceBackingInfo'> | undefined,
  nameOfKey: ReadonlyMap<string, string>,
): string {
  if (isA(backing, 'VirtualEthernetCardDistributedVirtualPortBackingInfo'))
    return nameOfKey.get(backing.port?.portgroupKey ?? '') ?? '';
  return isA(backing, 'VirtualDeviceDeviceBackingInfo') ? (backing.deviceName ?? '') : '';
}
