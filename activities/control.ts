/**
 * All verbs of the control worker as one object; the workflow's proxies take their types from it.
 */
import { createGuestStepActivities } from './guest-steps.ts';
import { createHomeWatchActivities } from './home-watch.ts';
import { createMoverLookActivities } from './movers.ts';
import { createObserveActivities } from './observe.ts';
import { createOpenedActivities } from './opened.ts';
import { createPowerActivities } from './power.ts';
import { createPreflightActivities, type Sites } from './preflight.ts';
import { createProbeActivities, type NetworkLooks } from './probes.ts';
import { createProvingActivities } from './proving.ts';
import { createRecoveryPointActivities } from './recovery-point.ts';
import { createRetireActivities } from './retire.ts';
import { createTargetActivities } from './target.ts';
import { createWatchActivities } from './watch.ts';
import { createWritesActivities } from './writes.ts';

export const createControlActivities = (sites: Sites, network: NetworkLooks) => ({
  ...createPreflightActivities(sites),
  ...createMoverLookActivities(sites),
  ...createOpenedActivities(sites),
  ...createHomeWatchActivities(sites),
  ...createRecoveryPointActivities(sites),
  ...createObserveActivities(sites),
  ...createPowerActivities(sites),
  ...createTargetActivities(sites),
  ...createRetireActivities(sites),
  ...createWatchActivities(sites),
  ...createWritesActivities(sites),
  ...createGuestStepActivities(sites),
  ...createProbeActivities(sites, network),
  ...createProvingActivities(sites),
});

export type ControlActivities = ReturnType<typeof createControlActivities>;
