/**
 * Runs the inside of the on-prem machines: when vCenter says a machine is on, its guest boots from the attached disks.
 * Rule: Tools answer only once the guest has booted; a machine whose disk would not boot stays silent.
 * A machine that is proven apart from everybody has no address, as on a network where nobody gives any out.
 * Never keeps a disk open after its machine was seen off.
 */
import { readVcenter, reportGuest, reportWrites, type VcenterVm } from '../vcenter-control.ts';
import { type CountedDisk, countWrites } from './counted-disk.ts';
import { openFileDisk } from './file-disk.ts';
import { bootGuest, type Guest } from './guest.ts';

export interface OnPremPlan {
  readonly control: string;
  /** Machines to run, and the side file each acknowledges its records in. */
  readonly machines: readonly { readonly name: string; readonly acknowledgements: string; readonly ip: string }[];
  readonly recordsPerSecond: number;
  /** How long firmware and system take to come up. */
  readonly bootMs?: number;
  /** Awaited after that and before the guest's first write: whoever compares disks at power-on must be done. */
  readonly mayBoot?: () => Promise<void>;
}

export interface OnPremState {
  readonly booted: boolean;
  /** Why it did not boot, or why its application did not start. */
  readonly reason?: string;
  readonly written: number;
}

export interface OnPremGuests {
  state(machine: string): OnPremState | undefined;
  /** Bytes it has written to all its disks in all its boots, and how much of that vCenter's counter has heard of. */
  wrote(machine: string): { readonly bytes: number; readonly told: number };
  /** Resolves when whatever was seen off by now writes no more: a machine without power writes nothing. */
  halted(): Promise<void>;
  /** From now on its Tools say nothing, whatever it boots. */
  silence(machine: string): void;
  /** Why the last look at vCenter failed, if it did. */
  trouble(): unknown;
  stop(): Promise<void>;
}

interface Running {
  readonly guest: Guest;
  readonly apart: boolean;
  /** The first file it was booted from: another one means that it was off in between. */
  readonly place: string | undefined;
  readonly disks: readonly CountedDisk[];
}

const lookEveryMs = 250;

const placeOf = ({ path, redo }: VcenterVm['disks'][number]): string => redo ?? path;

async function boot(vm: VcenterVm, acknowledgements: string, recordsPerSecond: number): Promise<Running> {
  const disks: CountedDisk[] = [];
  const places = vm.disks.map(placeOf);
  for (const place of places) disks.push(countWrites(await openFileDisk(place)));
  // Disks that forget: the machine is apart from everybody, so no user of its application hears of a record.
  const apart = vm.disks.some(({ redo }) => redo !== undefined);
  const heard = apart ? `${acknowledgements}.apart` : acknowledgements;
  const guest = await bootGuest(disks, { acknowledgements: heard, recordsPerSecond, side: 'on-prem' });
  return { disks, place: places[0], guest, apart };
}

const halt = async ({ guest, disks }: Running): Promise<void> => {
  await guest.stop();
  await Promise.all(disks.map((disk) => disk.close()));
};

/** As the host's own counter sees every write. What could not be said now is said with the next. */
async function tellWrites(control: string, vm: string, { disks }: Running): Promise<void> {
  const said = disks.map((disk) => ({ path: disk.name, bytes: disk.untold() }));
  if (said.every(({ bytes }) => bytes === 0)) return;
  await reportWrites(control, { vm, disks: said });
  for (const [at, { bytes }] of said.entries()) disks[at]?.told(bytes);
}

/** Watches vCenter until stopped. */
export function runOnPremGuests(plan: OnPremPlan): OnPremGuests {
  const running = new Map<string, Running>();
  /** The disks of all boots. */
  const booted = new Map<string, CountedDisk[]>();
  let trouble: unknown;
  let stopping = false;
  let looks = 0;
  let looked = Promise.withResolvers<void>();
  /** Ends the pause before the next look. */
  let lookNow = (): void => undefined;
  const silent = new Set<string>();
  const follow = async (vm: VcenterVm): Promise<void> => {
    const wanted = plan.machines.find((each) => each.name === vm.name);
    if (wanted === undefined) return;
    const now = running.get(vm.name);
    if (vm.power !== 'on') {
      if (now === undefined) return;
      running.delete(vm.name);
      await halt(now);
      return;
    }
    const [first] = vm.disks;
    if (now !== undefined) {
      if (first === undefined || now.place === placeOf(first)) return tellWrites(plan.control, vm.name, now);
      running.delete(vm.name);
      await halt(now);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, plan.bootMs ?? 0));
    await plan.mayBoot?.();
    // It may have been switched off again meanwhile; what is off writes nothing.
    const still = (await readVcenter(plan.control)).find((each) => each.name === vm.name);
    if (still?.power !== 'on') return;
    const started = await boot(still, wanted.acknowledgements, plan.recordsPerSecond);
    running.set(vm.name, started);
    booted.set(vm.name, [...(booted.get(vm.name) ?? []), ...started.disks]);
    const ip = started.apart ? '' : wanted.ip;
    if (started.guest.booted && !silent.has(vm.name))
      await reportGuest(plan.control, { vm: vm.name, running: true, ip });
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      try {
        const vms = await readVcenter(plan.control);
        await Promise.all(vms.map(follow));
        trouble = undefined;
      } catch (error) {
        // The simulator may be away for a moment (a test restarts it); the next look tells.
        trouble = error;
      }
      looks++;
      looked.resolve();
      looked = Promise.withResolvers<void>();
      const pause = Promise.withResolvers<void>();
      const timer = setTimeout(pause.resolve, lookEveryMs);
      lookNow = pause.resolve;
      await pause.promise;
      clearTimeout(timer);
    }
  };
  const looping = loop();
  return {
    state(machine) {
      const now = running.get(machine)?.guest;
      if (now === undefined) return undefined;
      return {
        booted: now.booted,
        written: now.written(),
        ...(now.reason === undefined ? {} : { reason: now.reason }),
      };
    },
    wrote(machine) {
      const disks = booted.get(machine) ?? [];
      const bytes = disks.reduce((sum, disk) => sum + disk.writtenBytes(), 0);
      return { bytes, told: disks.reduce((sum, disk) => sum - disk.untold(), bytes) };
    },
    async halted() {
      // A look that is under way may have begun before.
      const enough = looks + 2;
      while (looks < enough && !stopping) {
        lookNow();
        await Promise.race([looked.promise, looping]);
      }
    },
    silence: (machine) => void silent.add(machine),
    trouble: () => trouble,
    async stop() {
      stopping = true;
      lookNow();
      await looping;
      await Promise.all([...running.values()].map(halt));
      running.clear();
    },
  };
}
