/** Whether the guest of the target answers, and its probes pass: at home, and where nobody gives it an address. */
import { awaitGuest } from '../../activities/power.ts';
import type { Sites } from '../../activities/preflight.ts';
import { lookOnce } from '../../activities/probes.ts';
import { probe } from '../../model/arrival-policy.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import type { Failure } from '../../model/failure.ts';
import { lookAtPort, lookAtUrl } from '../../sites/network-look.ts';
import { onSimulator, original, pathOf, quietWork, returnedBy, runA, runB, type Simulator } from './simulator.ts';

const names = ['dhcp', 'silent', 'other'];
const work = quietWork();
let simulator: Simulator;
onSimulator(
  names.map((name) => ({ ...original(name), power: 'on', extraConfig: returnedBy(name) })),
  (started) => {
    simulator = started;
  },
);

const failbackOf = (name: string) =>
  ({
    machine: name,
    target: { site: 'dc-home', path: pathOf(name) },
    policy: { guestWaitSeconds: 0.1 },
  }) as unknown as FailbackInput;
const heard = (name: string, apart: boolean, run = runA) =>
  awaitGuest(simulator.target(), { failback: failbackOf(name), run, apart }, work).catch((error: Failure) => error);
const probed = (name: string, asked: object, apart: boolean, run = runA) =>
  lookOnce(
    { target: () => simulator.target() } as Pick<Sites, 'target'>,
    { tcp: lookAtPort, http: lookAtUrl },
    { failback: failbackOf(name), run, probes: [], apart },
    probe.parse({ name: 'a', ...asked }),
    { leftMs: 5_000, work },
  );
const without = (asked: string) => ({ vm: asked, running: true, ip: '' });

test('a guest on DHCP answers on the isolated network, where nobody gives it an address; at home it has to have one', async () => {
  await simulator.door('POST', '/guest', without('dhcp'));
  expect(await heard('dhcp', true)).toMatchObject({ guest: { agent: 'running' } });
  expect(await probed('dhcp', { kind: 'tools' }, true)).toMatchObject({ passed: true });
  expect(await heard('dhcp', false)).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('loss flag') });
  expect(await probed('dhcp', { kind: 'tools' }, false)).toMatchObject({ passed: false });
});

test('S5 a guest that stays silent on the isolated network goes back by undo and asks nobody for the loss flag', async () => {
  const failure = (await heard('silent', true)) as Failure;
  expect(failure).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('undo') });
  expect(failure.hint).not.toContain('loss flag');
  expect(await probed('silent', { kind: 'tools' }, true)).toMatchObject({ passed: false });
});

test('S1 S2 a machine that does not carry the record of the run answers for nothing and passes no probe', async () => {
  await simulator.door('POST', '/guest', { ...without('other'), ip: '127.0.0.1' });
  const { port } = new URL(simulator.url);
  const listening = { kind: 'tcp', host: '127.0.0.1', port: Number(port) };
  for (const asked of [{ kind: 'tools' }, listening, { kind: 'script', script: 'true' }]) {
    expect(await probed('other', asked, false)).toMatchObject({ passed: true });
    expect(await probed('other', asked, false, runB)).toMatchObject({
      passed: false,
      seen: expect.stringContaining('without the record of this run'),
    });
  }
  expect(await heard('other', false)).toMatchObject({ guest: { ip: '127.0.0.1' } });
  expect(await heard('other', false, runB)).toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('without the record of this run'),
  });
});
