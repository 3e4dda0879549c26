/**
 * Scripts in the guests: waits for the agent, runs one try, answers how it ended.
 * Rule: safe twice: the site runs a try once by its key. A script that fails is an answer, not an error; whether it is
 * tried again, and who is called, the story decides.
 */
import { setTimeout } from 'node:timers/promises';
import type { GuestScript, GuestSide, StepRun } from '../model/arrival.ts';
import { tailOf } from '../model/arrival.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { refused } from '../model/failure.ts';
import type { GuestAccess, Work } from '../sites/source.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';

/** How often the agent is looked at, in milliseconds. */
const agentLookEveryMs = 1_000;

export interface GuestPlace {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly side: GuestSide;
}

export interface GuestTry extends GuestPlace {
  readonly script: Omit<GuestScript, 'machine'>;
}

export interface ScriptFound {
  readonly ended?: StepRun;
}

export interface GuestRelease extends GuestPlace {
  readonly shell: GuestScript['shell'];
}

export const createGuestStepActivities = (sites: Sites) => ({
  /** Refused when the agent is not ready within the policy's time, or when the world will not run the script. */
  ensureGuestScriptRun: activity('ensureGuestScriptRun', async (input: GuestTry, work): Promise<StepRun> => {
    const { run, script } = input;
    const { access, path } = guestOf(sites, input);
    await awaitAgent(access, input, path, work);
    work.report(`${script.key} runs in the guest of ${path}`);
    const ended = await access.ensureScriptRun({ ...script, ...placeOf(input), path, run }, work);
    return { ...ended, output: tailOf(ended.output) };
  }),
  /** What became of a try in the source that was begun and nobody heard of; nothing when it did nothing. Begins none. */
  observeSourceScript: activity('observeSourceScript', async (input: GuestTry, work): Promise<ScriptFound> => {
    const { run, script, failback } = input;
    const { site, path } = failback.source;
    const ended = await sites.source(site).observeScriptRun({ ...script, ...placeOf(input), path, run }, work);
    return ended ? { ended: { ...ended, output: tailOf(ended.output) } } : {};
  }),
  /** Answers what stays, in words. */
  releaseGuestScripts: activity('releaseGuestScripts', async (input: GuestRelease, work): Promise<string[]> => {
    const { access, path } = guestOf(sites, input);
    const { run, shell } = input;
    return await access.releaseScripts({ ...placeOf(input), path, run, shell }, work);
  }),
});

const placeOf = ({ failback, side }: GuestPlace) => ({
  machine: failback.machine,
  ...(side === 'target' && failback.create ? { made: true } : {}),
});

export function guestOf(sites: Sites, { failback, side }: GuestPlace): { access: GuestAccess; path: string } {
  const { site, path } = failback[side];
  return { access: side === 'source' ? sites.source(site) : sites.target(site), path };
}

/** S000-22, S001-22: an agent that is not there yet is waited for, not a failure; the wait says since when and until when. */
export async function awaitAgent(access: GuestAccess, input: GuestPlace, path: string, work: Work): Promise<void> {
  const { agentWaitSeconds } = input.failback.policy;
  const begun = Date.now();
  const until = new Date(begun + agentWaitSeconds * 1000).toISOString();
  const deadline = performance.now() + agentWaitSeconds * 1000;
  for (;;) {
    const { ready, seen } = await access.observeAgent({ ...placeOf(input), path, run: input.run }, work);
    if (ready) return;
    if (performance.now() > deadline)
      throw refused({
        op: 'guest-agent',
        subject: path,
        message: `the agent in the guest of ${path} was not ready within ${agentWaitSeconds} s (${seen})`,
        hint: 'Look at the agent inside the machine, and that it has a way out. Then resolve with retry.',
      });
    work.report(
      `waits for the agent in the guest of ${path} since ${new Date(begun).toISOString()}, until ${until}: ${seen}`,
    );
    await setTimeout(agentLookEveryMs, undefined, { signal: work.signal });
  }
}
