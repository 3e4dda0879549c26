/**
 * The embedded world: a real Temporal server, both simulated sites, machines with working guests, and the witness.
 * Rule: everything listens on the loopback interface on free ports and lives in one folder of its own, so that several
 * labs can run at once; when the lab ends, however it ends, nothing of it goes on running.
 */
import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy } from '../model/inventory.ts';
import { type Azure, type AzureSettings, startAzure } from './azure-process.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { bootableLinux } from './guest/bootable-linux.ts';
import { type OnPremGuests, runOnPremGuests } from './guest/on-prem-guests.ts';
import type { OsTree } from './guest/os-tree.ts';
import { writeInventory } from './inventory-file.ts';
import { openLabFolder } from './lab-folder.ts';
import { type LabMachine, planMachines, watched } from './machines.ts';
import { type Placing, placeDisks } from './place-disks.ts';
import { findPrograms } from './programs.ts';
import { startTemporal, type TemporalServer } from './temporal.ts';
import { moverNames, startVcenter, type Vcenter } from './vcenter.ts';
import type { Effect } from './witness/view.ts';
import { startWitness, type Witness } from './witness/witness.ts';
import { lookAtWorlds, realEvidence } from './worlds.ts';

const MiB = 1 << 20;
const defaultRecordsPerSecond = 100;

/** `signal`: ends the opening; `startLab` then throws its reason after it has ended all it had started. */
export interface LabOptions extends Placing {
  /** `small` (tests) or `full` (the demo: a tree of at least 200 MB); or a folder of your own. */
  readonly osTree?: OsTree;
  readonly osSizeBytes?: number;
  /** Whether the OS disk is to hold a Linux that really boots, where its parts are there; default: with a tree larger than `small`. */
  readonly linux?: boolean;
  readonly dataSizeBytes?: number;
  readonly recordsPerSecond?: number;
  readonly machines?: number;
  /**
   * The vCenter that the machines came from is lost with all of them (nobody answers there); they come home to an alternate
   * location, the lab's vCenter, which stands empty but for its movers.
   */
  readonly lostSite?: boolean;
  /** Movers at the on-prem site (1); all machines begin with the first. */
  readonly movers?: number;
  /** Where the lab lives; default a new folder under the system's temporary one. */
  readonly folder?: string;
  /** Keeps the folder when the lab stops. */
  readonly keep?: boolean;
  /** Overrides of the default policy in homeward.yaml. */
  readonly policy?: Partial<Policy>;
  /** How long an on-prem machine takes from power to system. */
  readonly bootMs?: number;
  /** Delays of the vCenter simulator: `PowerOn:300,ReconfigVm:200`. */
  readonly vcenterDelay?: string;
  /** How strict the simulated Azure is: limits, lifetimes, denied actions. */
  readonly azureSettings?: AzureSettings;
  /** The worlds tell the witness nothing and do not wait for it: for measuring only, nothing is judged then. */
  readonly unwitnessed?: boolean;
  /** Asked by the witness: has a person committed this machine? */
  readonly isCommitted?: (machine: string) => Promise<boolean>;
}

export interface Lab {
  readonly folder: string;
  /** Path of the lab's homeward.yaml. */
  readonly config: string;
  readonly caFile: string;
  /** Of the first mover. */
  readonly moverState: string;
  readonly temporal: TemporalServer;
  readonly azure: Azure;
  readonly vcenter: Vcenter;
  readonly machines: readonly LabMachine[];
  readonly onPremGuests: OnPremGuests;
  readonly witness: Witness;
  /** Whether the OS disks really boot; if not, why not in one sentence. */
  readonly linux: { readonly boots: true } | { readonly boots: false; readonly why: string };
  stop(): Promise<void>;
}

/** What has been started. Ended in two steps: first what uses the worlds, then everything else at once. */
class Ending {
  readonly #guests: (() => Promise<unknown>)[] = [];
  readonly #rest: (() => Promise<unknown>)[] = [];

  /** Remembers how to end what the promise starts, as soon as it has started. */
  async also<T>(
    starting: Promise<T>,
    end: (started: T) => Promise<unknown>,
    order: 'first' | 'then' = 'then',
  ): Promise<T> {
    const started = await starting;
    (order === 'first' ? this.#guests : this.#rest).push(() => end(started));
    return started;
  }

  async end(): Promise<void> {
    for (const steps of [this.#guests, this.#rest]) await Promise.allSettled(steps.splice(0).map((step) => step()));
  }
}

/** Both of several starts, but never one left running because the other failed. */
async function settled<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

interface Standing {
  readonly folder: string;
  readonly options: LabOptions;
  readonly machines: readonly LabMachine[];
  readonly certificates: Certificates;
  readonly ending: Ending;
  readonly linux: Lab['linux'];
}

interface Worlds {
  readonly azure: Azure;
  readonly vcenter: Vcenter;
  readonly witness: Witness;
  readonly onPremGuests: OnPremGuests;
}

function startGuests({ options, machines }: Standing, control: string, witness: Witness): OnPremGuests {
  return runOnPremGuests({
    control,
    recordsPerSecond: options.recordsPerSecond ?? defaultRecordsPerSecond,
    bootMs: options.bootMs ?? 300,
    mayBoot: () => witness.quiet(),
    machines: machines.map(({ target, acknowledgements }) => ({
      ...{ name: target.vm, ip: target.ip, acknowledgements: acknowledgements.onPrem },
    })),
  });
}

/** Operations of vCenter after which a machine has no power. */
const withoutPower: ReadonlySet<string> = new Set(['powerOff', 'shutdownGuest', 'suspend']);

async function startWorlds(standing: Standing, datastore: string, program: string): Promise<Worlds> {
  const { folder, certificates, machines, options, ending } = standing;
  const onPrem = await placeDisks(machines, datastore, options);
  const controls = { azure: '', vcenter: '' };
  let guestsAtHome: OnPremGuests | undefined;
  const plan = {
    machines: machines.map((machine) => watched(machine, moverNames(options.movers ?? 1))),
    look: () => lookAtWorlds(controls),
    evidence: realEvidence(controls),
    // Without power a machine writes nothing: whoever took it away hears so only when its guest has stopped.
    async settle({ world, op }: Effect) {
      if (world === 'vsphere' && withoutPower.has(op)) await guestsAtHome?.halted();
    },
    ...(options.isCommitted === undefined ? {} : { isCommitted: options.isCommitted }),
  };
  const witness = await ending.also(startWitness(plan), (started) => started.close());
  const both = { folder, certificates, ...(options.unwitnessed ? {} : { effectsUrl: witness.url }) };
  const recordsPerSecond = options.recordsPerSecond ?? defaultRecordsPerSecond;
  const settings = options.azureSettings === undefined ? {} : { settings: options.azureSettings };
  const delay = options.vcenterDelay === undefined ? {} : { methodDelay: options.vcenterDelay };
  const [azure, vcenter] = await settled(
    ending.also(startAzure({ ...both, ...settings, machines, recordsPerSecond }), (started) => started.child.stop()),
    ending.also(
      startVcenter({
        ...{ ...both, ...delay, program, datastoreFolder: datastore, machines: onPrem },
        movers: options.movers ?? 1,
      }),
      (started) => started.child.stop(),
    ),
  );
  Object.assign(controls, { azure: azure.control, vcenter: vcenter.control });
  await witness.begin();
  guestsAtHome = startGuests(standing, vcenter.control, witness);
  const onPremGuests = await ending.also(Promise.resolve(guestsAtHome), (started) => started.stop(), 'first');
  return { azure, vcenter, witness, onPremGuests };
}

async function assemble(standing: Standing): Promise<Omit<Lab, 'stop'>> {
  const { folder, options, machines, certificates, ending, linux } = standing;
  const datastore = join(folder, 'datastore');
  const moverState = join(folder, 'mover-state');
  const others = Array.from({ length: (options.movers ?? 1) - 1 }, (_, index) => `${moverState}-${index + 2}`);
  const moverStates = [moverState, ...others];
  for (const each of [datastore, ...moverStates, join(folder, 'azure-images')]) await mkdir(each, { recursive: true });
  const programs = await findPrograms();
  const [temporal, worlds] = await settled(
    // A server whose file goes with the folder need not close it in order, which takes two seconds.
    ending.also(startTemporal(programs.temporal, folder), (started) =>
      options.keep ? started.stop() : started.kill(),
    ),
    startWorlds(standing, datastore, programs.vcenter),
  );
  const config = join(folder, 'homeward.yaml');
  const { caFile } = certificates;
  const policy = options.policy === undefined ? {} : { policy: options.policy };
  const lostSite = options.lostSite === true;
  await writeInventory({ path: config, temporal, ...worlds, caFile, moverStates, machines, lostSite, ...policy });
  return { folder, config, caFile, moverState, temporal, machines, linux, ...worlds };
}

/** Starts a lab and returns when everything in it answers. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const folder = await openLabFolder(options.folder, options.keep === true);
  const ending = new Ending();
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true });
  if (!options.keep) process.once('exit', removeNow);
  const stop = async (): Promise<void> => {
    await ending.end();
    process.off('exit', removeNow);
    if (!options.keep) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const osTree = options.osTree ?? 'small';
    const built = (options.linux ?? osTree !== 'small') ? await bootableLinux() : undefined;
    const loader = built === undefined || 'missing' in built ? {} : { loader: built };
    const machines = planMachines({
      ...{ count: options.machines ?? 1, folder, tree: osTree, ...loader },
      osSizeBytes: options.osSizeBytes ?? (osTree === 'small' ? 32 : 512) * MiB,
      dataSizeBytes: options.dataSizeBytes ?? (osTree === 'small' ? 8 : 256) * MiB,
    });
    const certificates = await makeCertificates(folder);
    const why = built === undefined ? 'No Linux was asked for.' : 'missing' in built ? built.missing : undefined;
    const linux = why === undefined ? ({ boots: true } as const) : ({ boots: false, why } as const);
    const lab = await assemble({ folder, options, machines, certificates, ending, linux });
    options.signal?.throwIfAborted();
    return { ...lab, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
