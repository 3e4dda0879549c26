/** Whether probes hold, asked of a simulated vCenter whose guest really runs their scripts, and of real ports. */
import { asyncLocalStorage } from '@temporalio/activity';
import { createProbeActivities } from '../../activities/probes.ts';
import { commitPolicy, type Probe, probe } from '../../model/arrival-policy.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { lookAtPort, lookAtUrl } from '../../sites/network-look.ts';
import { original, pathOf, returnedBy, runA, type Simulator, startSimulator } from '../vsphere/simulator.ts';

const names = ['flaps', 'breaks', 'goes-on', 'busy'];
let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator(
    names.map((name) => ({ ...original(name), power: 'on' as const, extraConfig: returnedBy(name) })),
  );
  for (const vm of names) await simulator.door('POST', '/guest', { vm, running: true, ip: '10.0.0.1' });
});
afterAll(() => simulator?.stop());

interface Attempt {
  readonly attempt?: number;
  readonly heartbeatDetails?: unknown;
}

/** One attempt as Temporal runs it; `beats` gets what it reported. */
async function hold(machine: string, one: Probe, seconds: number, from: Attempt = {}, beats: unknown[] = []) {
  const sites = { source: () => fail(), target: () => simulator.target() };
  const { observeProbesHold } = createProbeActivities(sites as never, { tcp: lookAtPort, http: lookAtUrl });
  const policy = { commit: commitPolicy.parse({ probeEverySeconds: 0.1 }) };
  const failback = { machine, target: { site: 'home', path: pathOf(machine) }, policy } as FailbackInput;
  const frame = {
    cancellationSignal: new AbortController().signal,
    info: { heartbeatTimeoutMs: 30_000, attempt: 1, ...from },
    heartbeat: (details: unknown) => void beats.push(details),
  };
  return await asyncLocalStorage.run(frame as never, () =>
    observeProbesHold({ failback, run: runA, probes: [one], seconds }),
  );
}
const fail = (): never => {
  throw new Error('nobody asks the source');
};
/** Counts its looks in the guest, and passes or not by their number. */
const counting = (condition: string): Probe =>
  probe.parse({
    ...{ kind: 'script', name: 'app', everySeconds: 0.1, timeoutSeconds: 20 },
    script: `echo look >> looks; n=$(wc -l < looks); test ${condition}`,
  });

test('L4 S7 a service that is down most of the time does not hold: one look that does not pass ends it', async () => {
  expect(await hold('flaps', counting('$((n % 5)) -eq 0'), 2)).toMatchObject({
    holds: false,
    probes: [{ name: 'app', passed: false, looks: 1, seen: 'the script ended with 1' }],
  });
});

test('L4 S7 a service that fails once after it has held does not hold, although it is back at once', async () => {
  expect(await hold('breaks', counting('$n -ne 2'), 30)).toMatchObject({
    holds: false,
    probes: [{ passed: false, looks: 2 }],
  });
});

test('L1 L4 an attempt that follows a lost one goes on from what was held, and reports it from its first beat on', async () => {
  const beats: unknown[] = [];
  const begun = performance.now();
  const lost: Attempt = { attempt: 2, heartbeatDetails: { now: 'holds', heldMs: 599_500 } };
  expect(await hold('goes-on', counting('$n -gt 0'), 600, lost, beats)).toMatchObject({ holds: true });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(500);
  const held = beats.map((beat) => (beat as { heldMs?: number }).heldMs ?? 0);
  expect(held[0]).toBe(599_500);
  expect(Math.min(...held)).toBe(599_500);
  expect(Math.max(...held)).toBeGreaterThan(599_500);
});

test('L4 a guest that takes no script for a moment was not looked at: it neither held nor failed', async () => {
  await simulator.door('POST', '/rules', {
    method: 'StartProgramInGuest',
    fault: 'GuestOperationsUnavailable',
    count: 1,
  });
  await expect(hold('busy', counting('$n -gt 0'), 0.1)).rejects.toMatchObject({ type: 'Transient' });
  expect(await hold('busy', counting('$n -gt 0'), 0.1)).toMatchObject({ holds: true });
});
