/**
 * What CreateVM_Task is given: firmware, processors, memory, controllers, NICs, the run's record, and no disk.
 * Rule: everything comes from the plan that the run made before it changed anything; only references are looked up here.
 * Never names a disk: a machine that is made here cannot boot (S4).
 */
import { fileName, type NewMachine } from '../../model/creation.ts';
import { defect, type Failure, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { type Compute, nicBacking } from './compute.ts';
import type { Vcenter } from './inventory.ts';
import { markOptions } from './marks.ts';
import { runTag, writtenFiles } from './staged-disks.ts';
import type { Vim } from './wire/shapes.ts';

type ConfigSpec = Vim<'VirtualMachineConfigSpec'>;
type DeviceSpec = Vim<'VirtualDeviceConfigSpec'>;

export const cannotMake = (subject: string, message: string, hint: string): Failure =>
  refused({ op: 'CreateVM_Task', subject, message, hint });

export function needPlan({ machineToMake, path }: TargetRequest): NewMachine {
  if (machineToMake) return machineToMake;
  throw defect({
    op: 'CreateVM_Task',
    subject: path,
    message: 'no plan of the machine to make was given',
    hint: 'This is a fault of Homeward: report it. Nothing was made.',
  });
}

/** The machine's own folder on the datastore: no other run and no other machine uses it. */
export const createdFolder = (path: string, run: string): string => `${fileName(path)}${runTag(run)}`;

const controllerTypes = {
  pvscsi: 'ParaVirtualSCSIController',
  lsilogic: 'VirtualLsiLogicController',
  'lsilogic-sas': 'VirtualLsiLogicSASController',
} as const satisfies Record<NewMachine['controller'], string>;

/** Keys of devices that do not exist yet are negative; vCenter gives the real ones. */
const newController = (kind: NewMachine['controller'], bus: number): DeviceSpec => ({
  operation: 'add',
  device: {
    $type: controllerTypes[kind],
    key: -1000 - bus,
    busNumber: bus,
    sharedBus: 'noSharing',
  } as Vim<'VirtualDevice'>,
});

async function newCards(at: Vcenter, plan: NewMachine, compute: Compute, work: Work): Promise<DeviceSpec[]> {
  const cards: DeviceSpec[] = [];
  for (const [index, { network, mac }] of plan.nics.entries()) {
    const ref = compute.networks.get(network);
    const backing = ref && (await nicBacking(at, ref, network, work));
    if (!backing)
      throw cannotMake(
        network,
        `${network} is no network that a NIC can be connected to`,
        'Name a standard or distributed port group under create.network or create.networks.',
      );
    const device = {
      $type: 'VirtualVmxnet3',
      key: -4000 - index,
      backing,
      connectable: { startConnected: true, allowGuestControl: true, connected: true },
      addressType: mac === undefined ? 'generated' : 'manual',
      ...(mac === undefined ? {} : { macAddress: mac }),
    } as Vim<'VirtualDevice'>;
    cards.push({ operation: 'add', device });
  }
  return cards;
}

const busesOf = (request: TargetRequest): number[] => [
  ...new Set([0, ...request.pairs.map(({ target }) => Number(target.slot.split(':')[0]) - 1000)]),
];

export async function specOf(
  at: Vcenter,
  request: TargetRequest,
  name: string,
  compute: Compute,
  work: Work,
): Promise<ConfigSpec> {
  const plan = needPlan(request);
  const { run, path } = request;
  const folder = createdFolder(path, run);
  const mark = { run, path, state: 'open', way: 'created', originals: [], staged: writtenFiles(request) } as const;
  return {
    name,
    ...(plan.biosUuid === undefined ? {} : { uuid: plan.biosUuid }),
    guestId: plan.guestId,
    files: { vmPathName: `[${plan.datastore}] ${folder}/${folder}.vmx` },
    numCPUs: plan.cpus,
    memoryMB: plan.memoryMiB,
    deviceChange: [
      ...busesOf(request).map((bus) => newController(plan.controller, bus)),
      ...(await newCards(at, plan, compute, work)),
    ],
    extraConfig: markOptions(mark, undefined).map(({ key, value }) => ({ key, value })),
    firmware: plan.firmware,
  };
}
