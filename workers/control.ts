/**
 * The control worker: the stories and the light verbs. Any number may run; none holds state of its own.
 * Run: node workers/control.ts --config homeward.yaml
 */
import { createControlActivities } from '../activities/control.ts';
import { controlQueue } from '../model/failback-input.ts';
import { lookAtPort, lookAtUrl } from '../sites/network-look.ts';
import { openSites } from './control-sites.ts';
import { controlSlots } from './control-slots.ts';
import { runWorker } from './start.ts';
import { workflowBundle } from './workflow-bundle.ts';

await runWorker('control', async ({ loaded, log }) => {
  const sites = openSites(loaded);
  return {
    options: {
      taskQueue: controlQueue,
      workflowBundle: await workflowBundle((text) => log.warn(text)),
      activities: createControlActivities(sites, { tcp: lookAtPort, http: lookAtUrl }),
      maxConcurrentActivityTaskExecutions: controlSlots(Object.keys(loaded.inventory.machines).length),
      // A killed worker's cached stories go to the next one after a second instead of ten.
      stickyQueueScheduleToStartTimeout: '1s',
      workflowTaskPollerBehavior: { type: 'autoscaling' },
      activityTaskPollerBehavior: { type: 'autoscaling' },
    },
    close: () => sites.close(),
  };
});
