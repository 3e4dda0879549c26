/**
 * Power of a machine and the guest inside it.
 * Rule: commands to one machine run one after the other; it is off only when its guest has written its last byte.
 * An operation that fails leaves the machine as it was; a state of transition never stays behind.
 */
import type { Guest } from '../guest/guest.ts';
import { conflict } from './refusal.ts';
import type { TrackedDisk } from './tracked-disk.ts';
import type { WorldMachine } from './world-file.ts';

export type Power = 'running' | 'starting' | 'stopped' | 'stopping' | 'deallocating' | 'deallocated';
export type RestingPower = 'running' | 'stopped' | 'deallocated';
export type BootGuest = typeof import('../guest/guest.ts').bootGuest;

export interface Powered {
  readonly name: string;
  readonly guestSettings: WorldMachine['guest'];
  power: Power;
  /** Where it was, or got to, when nothing was under way. */
  resting: RestingPower;
  guest: Guest | undefined;
}

const onTheWayTo: Readonly<Record<RestingPower, Power>> = {
  running: 'starting',
  stopped: 'stopping',
  deallocated: 'deallocating',
};

export class MachinePower {
  private readonly bootGuest: BootGuest;
  private readonly accepted = new WeakMap<Powered, number>();
  private readonly turns = new WeakMap<Powered, Promise<unknown>>();

  constructor(bootGuest: BootGuest) {
    this.bootGuest = bootGuest;
  }

  /**
   * The command was accepted: from now on the machine is updating, and after `lagMs` it shows that it is on its way.
   * Answers what is to be called when the command has ended.
   */
  accept(machine: Powered, to: RestingPower, lagMs: number): () => void {
    this.accepted.set(machine, this.underWay(machine) + 1);
    const show = (): void => {
      if (machine.resting === to || (machine.resting === 'deallocated' && to === 'stopped')) return;
      machine.power = onTheWayTo[to];
    };
    const shown = lagMs > 0 ? setTimeout(show, lagMs) : show();
    return () => {
      if (shown) clearTimeout(shown);
      this.accepted.set(machine, this.underWay(machine) - 1);
    };
  }

  /** How many accepted commands have not ended. */
  underWay(machine: Powered): number {
    return this.accepted.get(machine) ?? 0;
  }

  /** `taken`: told when the machine takes its disks, unless it runs already. */
  on(machine: Powered, disks: () => TrackedDisk[], taken: () => void): Promise<void> {
    return this.inTurn(machine, async () => {
      if (machine.resting === 'running') return;
      machine.power = 'starting';
      const { guestSettings } = machine;
      if (guestSettings) machine.guest = await this.bootGuest(disks(), { ...guestSettings, side: 'azure' });
      taken();
      machine.resting = 'running';
    });
  }

  /** `released`: told when a deallocated machine has let go of its disks. */
  off(machine: Powered, to: 'stopped' | 'deallocated', released: () => void): Promise<void> {
    return this.inTurn(machine, async () => {
      // Powering off what has no hardware any more changes nothing.
      if (machine.resting === 'deallocated') return;
      machine.power = onTheWayTo[to];
      await machine.guest?.stop();
      machine.guest = undefined;
      if (to === 'deallocated') released();
      machine.resting = to;
    });
  }

  assertRunning(machine: Powered): void {
    if (machine.resting === 'running') return;
    throw conflict(`The VM ${machine.name} is ${machine.resting}; start it instead of restarting it.`);
  }

  private inTurn(machine: Powered, act: () => Promise<void>): Promise<void> {
    const settle = (): void => {
      machine.power = machine.resting;
    };
    const before = this.turns.get(machine) ?? Promise.resolve();
    const next = before.then(act).finally(settle);
    // How one command ended does not matter to the next; whoever gave it is told.
    this.turns.set(
      machine,
      next.catch(() => undefined),
    );
    return next;
  }
}
