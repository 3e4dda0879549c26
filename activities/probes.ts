/**
 * Looks at the machine at home from outside and inside, as its policy wants it.
 * Rule: a probe that does not pass is an answer with what was seen, never an error; only a look that cannot be made at all
 * (no vCenter, no login) is one. Changes nothing but what a probe's own script does.
 */
import { setTimeout } from 'node:timers/promises';
import type { GuestScript, ProbeFact } from '../model/arrival.ts';
import type { Probe } from '../model/arrival-policy.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { Failure, lacksGuestLogin } from '../model/failure.ts';
import type { Work } from '../sites/source.ts';
import { activity, type ReportingWork } from './attempt.ts';
import { guestAnswers } from './power.ts';
import type { Sites } from './preflight.ts';

/** What one look from outside saw; the implementation stands in sites/network-look.ts. */
export interface Seen {
  readonly passed: boolean;
  readonly seen: string;
}

export interface HttpLook {
  readonly url: string;
  readonly status: number;
  readonly acceptAnyCertificate: boolean;
}

/** The network as this worker sees it. Never throws for what the other side does. */
export interface NetworkLooks {
  tcp(at: { readonly host: string; readonly port: number }, timeoutMs: number, signal: AbortSignal): Promise<Seen>;
  http(at: HttpLook, timeoutMs: number, signal: AbortSignal): Promise<Seen>;
}

export interface ProbeRound {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly probes: readonly Probe[];
  /** It boots to be proven, where nobody gives it an address. */
  readonly apart?: boolean;
}

export interface Soak extends ProbeRound {
  /** So long all of them must hold, at most a piece of the whole (workflows/soak-pieces.ts). */
  readonly seconds: number;
}

/** No look waits longer than this for the other side, in milliseconds. */
const longestLookMs = 10_000;
/** No script of a look runs longer; it is run again where its probe has time left. */
const longestScriptMs = 60_000;

export const createProbeActivities = (sites: Sites, network: NetworkLooks) => {
  const all = (input: ProbeRound, work: Work): Promise<ProbeFact[]> =>
    Promise.all(input.probes.map((probe) => untilPassed(sites, network, input, probe, work)));
  return {
    /** Each probe until it passes or its time is over; all at the same time. */
    observeProbes: activity('observeProbes', (input: ProbeRound, work): Promise<ProbeFact[]> => all(input, work)),
    /** One look at each in every round. `holds`: they all passed each time, for so long; else the round in which one failed. */
    observeProbesHold: activity(
      'observeProbesHold',
      (input: Soak, work) =>
        untilOneFails(input, work, (number, told) => lookRound(sites, network, input, number, told)),
      (earlier) => ({ heldMs: heldBefore(earlier) }),
    ),
  };
};

/** What attempts before this one have seen hold, in milliseconds. */
function heldBefore(earlier: unknown): number {
  const { heldMs } = (earlier ?? {}) as { readonly heldMs?: unknown };
  return typeof heldMs === 'number' ? heldMs : 0;
}

type Round = (number: number, told: Work) => Promise<ProbeFact[]>;

/**
 * L4: only time between looks that passed counts. An attempt that got lost (a worker that is restarted, a vCenter that is
 * away) takes nothing of what was held before it, and the time in which nobody looked is not counted.
 */
async function untilOneFails(
  input: Soak,
  work: ReportingWork,
  look: Round,
): Promise<{ readonly holds: boolean; readonly probes: readonly ProbeFact[] }> {
  const before = heldBefore(work.earlier);
  let heldMs = before;
  // What a site reports in the middle of a look must not make the next attempt forget what was held.
  const report = (now: string): void => work.beat({ now, heldMs });
  let begunMs: number | undefined;
  for (let number = 1; ; number++) {
    const probes = await look(number, { ...work, report });
    if (probes.some(({ passed }) => !passed)) return { holds: false, probes };
    begunMs ??= performance.now();
    heldMs = before + performance.now() - begunMs;
    const leftMs = input.seconds * 1000 - heldMs;
    if (leftMs <= 0) return { holds: true, probes };
    report(`${probes.length} probes hold, looked ${number} times`);
    const pauseMs = input.failback.policy.commit.probeEverySeconds * 1000;
    await setTimeout(Math.min(pauseMs, leftMs), undefined, { signal: work.signal });
  }
}

/** One look at each. A guest or a vCenter that is too busy for a look ends the attempt: nothing was seen (L4). */
const lookRound = (sites: Sites, network: NetworkLooks, input: Soak, looks: number, work: Work): Promise<ProbeFact[]> =>
  Promise.all(
    input.probes.map(async (probe) => {
      const leftMs = probe.timeoutSeconds * 1000;
      const { passed, seen } = await lookOnce(sites, network, input, probe, { leftMs, work });
      return { name: probe.name, kind: probe.kind, passed, seen, at: new Date().toISOString(), looks };
    }),
  );

async function untilPassed(
  sites: Sites,
  network: NetworkLooks,
  input: ProbeRound,
  probe: Probe,
  work: Work,
): Promise<ProbeFact> {
  const deadline = performance.now() + probe.timeoutSeconds * 1000;
  for (let looks = 1; ; looks++) {
    const leftMs = Math.max(1, deadline - performance.now());
    const { passed, seen } = await lookOnce(sites, network, input, probe, { leftMs, work, busyFails: true });
    const fact = { name: probe.name, kind: probe.kind, passed, seen, at: new Date().toISOString(), looks };
    if (passed || performance.now() + probe.everySeconds * 1000 > deadline) return fact;
    work.report(`probe ${probe.name}: ${seen}`);
    await setTimeout(probe.everySeconds * 1000, undefined, { signal: work.signal });
  }
}

interface Patience {
  readonly leftMs: number;
  readonly work: Work;
  /** A guest that is too busy to take a script has not passed; else whoever asks hears that nothing was seen. */
  readonly busyFails?: true;
}

export async function lookOnce(
  sites: Pick<Sites, 'target'>,
  network: NetworkLooks,
  input: ProbeRound,
  probe: Probe,
  { leftMs, work, ...busy }: Patience,
): Promise<Seen> {
  const { failback, run } = input;
  const { site, path } = failback.target;
  const timeoutMs = Math.min(leftMs, longestLookMs);
  const target = await sites.target(site).observeMachine(path, work, run, failback.create !== undefined);
  const { agent, ip } = target.guest;
  const seenSide = `power ${target.power}, agent ${agent}, address ${ip ?? 'none'}`;
  if (target.power !== 'running') return { passed: false, seen: seenSide };
  // S1: another machine may stand at the path by now, and what it answers says nothing of ours.
  if (target.recordOf !== run) return { passed: false, seen: `${seenSide}, without the record of this run` };
  switch (probe.kind) {
    case 'tools':
      return { passed: guestAnswers(target, input.apart), seen: seenSide };
    case 'tcp': {
      const host = probe.host ?? ip;
      if (host === undefined) return { passed: false, seen: `the guest reports no address (${seenSide})` };
      return await network.tcp({ host, port: probe.port }, timeoutMs, work.signal);
    }
    case 'http': {
      if (probe.url.includes('{ip}') && ip === undefined)
        return { passed: false, seen: `the guest reports no address (${seenSide})` };
      const url = probe.url.replaceAll('{ip}', ip?.includes(':') ? `[${ip}]` : (ip ?? ''));
      return await network.http({ ...probe, url }, timeoutMs, work.signal);
    }
    case 'script': {
      const { script, shell } = probe;
      if (agent !== 'running') return { passed: false, seen: seenSide };
      return await scriptPasses(sites, input, { script, shell }, { leftMs, work, ...busy });
    }
  }
}

/** Whoever cannot log in has not looked. */
async function scriptPasses(
  sites: Pick<Sites, 'target'>,
  { failback, run }: ProbeRound,
  script: Pick<GuestScript, 'script' | 'shell'>,
  { leftMs, work, busyFails }: Patience,
): Promise<Seen> {
  const { site, path } = failback.target;
  const timeoutSeconds = Math.max(1, Math.ceil(Math.min(leftMs, longestScriptMs) / 1000));
  try {
    const { machine } = failback;
    const code = await sites
      .target(site)
      .runLook({ ...script, timeoutSeconds, machine, path, run, made: failback.create !== undefined }, work);
    return { passed: code === 0, seen: `the script ended with ${code}` };
  } catch (error) {
    if (!busyFails || !(error instanceof Failure) || error.kind !== 'Transient') throw error;
    // L5: another worker may have the login, and looks where this one cannot.
    if (error.op === lacksGuestLogin) throw error;
    return { passed: false, seen: error.message };
  }
}
