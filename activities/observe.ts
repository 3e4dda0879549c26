/**
 * Looks at the source and changes nothing.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import type { SourceMachine } from '../model/machine.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';

export const createObserveActivities = (sites: Sites) => ({
  observeSource: activity(
    'observeSource',
    (input: FailbackInput, work): Promise<SourceMachine> =>
      sites.source(input.source.site).observeMachine(input.source.path, work),
  ),
});
