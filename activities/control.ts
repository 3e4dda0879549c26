/**
 * All verbs of the control worker as one object; the workflow's proxies take their types from it.
 */
import { createMoverLookActivities } from './movers.ts';
import { createObserveActivities } from './observe.ts';
import { createPowerActivities } from './power.ts';
import { createPreflightActivities, type Sites } from './preflight.ts';
import { createRecoveryPointActivities } from './recovery-point.ts';
import { createRetireActivities } from './retire.ts';
import { createTargetActivities } from './target.ts';
import { createWatchActivities } from './watch.ts';

export const createControlActivities = (sites: Sites) => ({
  ...createPreflightActivities(sites),
  ...createMoverLookActivities(sites),
  ...createRecoveryPointActivities(sites),
  ...createObserveActivities(sites),
  ...createPowerActivities(sites),
  ...createTargetActivities(sites),
  ...createRetireActivities(sites),
  ...createWatchActivities(sites),
});

export type ControlActivities = ReturnType<typeof createControlActivities>;
