/**
 * The start of the source on the way back, as the control worker does it beside a target in the simulator.
 * Rule: the source is a recorder, because only whether its start was sent is asked (S1).
 */
import { createPowerActivities } from '../../activities/power.ts';
import type { OpenDisk } from '../../model/machine.ts';
import type { TargetSite } from '../../sites/target.ts';
import { inActivity } from '../activities/in-activity.ts';
import { moverPath, pathOf, runA } from './simulator.ts';

/** The undo's start of the source, as the control worker does it: whether its start was sent. */
export async function sourceStarted(target: TargetSite, name: string, open: readonly OpenDisk[], disksReturned = true) {
  let started = false;
  const source = {
    ensureStarted: async ({ otherSideOff }: { otherSideOff: () => Promise<void> }) => {
      await otherSideOff();
      started = true;
      return { power: 'running' };
    },
  };
  const sites = { source: () => source, target: () => target } as never;
  const failback = {
    source: { site: 'a', path: 'rg/vm' },
    target: { site: 'v', path: pathOf(name) },
    mover: { path: moverPath },
  };
  const input = { failback, run: runA, identity: undefined, disksReturned, open } as never;
  const answer = inActivity(() => createPowerActivities(sites).ensureSourceStarted(input));
  const told = await answer.then(() => '').catch((error: Error) => error.message);
  return { started, told };
}
