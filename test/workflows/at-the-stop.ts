/** A failback on the stage, up to the stop of its source: what the tests of that step begin with. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { PreflightAnswer } from '../../activities/preflight.ts';
import { recorded } from './recorded.ts';
import { play, type Stage } from './stage.ts';

export const look = 'observeSource';
export const stop = 'ensureSourceStopped';
export const script = 'ensureGuestScriptRun';

export const source = (power: 'running' | 'stopped' | 'changing', more: object = {}) => ({
  ...{ address: { site: 'azure', path: 'rg/one' }, power, powerSeen: power, disks: [], nics: [], ...more },
});
/** As Azure shows a machine that goes down: never without the word that its guest does (sites/azure/machine.ts). */
export const goingDown = source('changing', { guestOff: true, powerSeen: 'PowerState/deallocating' });
export const starting = source('changing', { powerSeen: 'PowerState/starting' });
export const shutDownInside = source('running', { guestOff: true, powerSeen: 'PowerState/stopped' });

const times = { startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:01.000Z' };
export const ranWell = { exitCode: 0, output: 'was: Disabled', ...times };

export const keysOf = (stage: Stage): string[] => stage.status().record.map(({ key }) => key);

/** Completed, of a machine that runs Windows, so that VMware Tools are enabled in it before the stop. */
export async function windowsCompleted(name: string, ...mine: string[]): Promise<Stage> {
  const stage = await play(name, 'observePreflight', look, stop, ...mine);
  const answer = recorded(name).answer('observePreflight', '1') as Payload;
  const seen = defaultPayloadConverter.fromPayload<PreflightAnswer>(answer);
  await stage.tell(stage.ended('observePreflight', { ...seen, source: { ...seen.source, os: { family: 'windows' } } }));
  await stage.tell(stage.said('completeFailover'));
  return stage;
}
