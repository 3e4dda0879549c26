/**
 * A control worker that lacks the login to a machine's guest, asked to work there: its real sites, on a simulated vCenter.
 * Rule: the login is missing as it is in life: the variable that the inventory names is not set for this process.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProbeActivities, type Soak } from '../../activities/probes.ts';
import { loadInventory } from '../../config/load.ts';
import { probe } from '../../model/arrival-policy.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { lookAtPort, lookAtUrl } from '../../sites/network-look.ts';
import { openSites } from '../../workers/control-sites.ts';
import { inActivity } from '../activities/in-activity.ts';
import { rightText } from '../config/inventory-text.ts';
import {
  guestPassword,
  original,
  password,
  pathOf,
  quietWork,
  returnedBy,
  runA,
  type Simulator,
  startSimulator,
  user,
} from '../vsphere/simulator.ts';

const machine = 'erp-db';
const [siteSecret, guestSecret] = ['HOMEWARD_TEST_SITE', 'HOMEWARD_TEST_GUEST'];
let folder = '';
let simulator: Simulator;
let sites: ReturnType<typeof openSites>;
beforeAll(async () => {
  simulator = await startSimulator([{ ...original(machine), power: 'on', extraConfig: returnedBy(machine) }]);
  await simulator.door('POST', '/guest', { vm: machine, running: true, ip: '10.0.0.1' });
  folder = await mkdtemp(join(tmpdir(), 'homeward-sites-'));
  await writeFile(join(folder, 'ca.pem'), simulator.ca);
  const text = rightText
    .replace('https://vc.example/sdk', `${simulator.url}\n    caFile: ca.pem`)
    .replace('user: homeward', `user: ${user}`)
    .replace('VC_PASSWORD', siteSecret)
    .replace(
      '    policy: nightly\n',
      `    policy: nightly\n    guest: { user: root, password: { env: ${guestSecret} } }\n`,
    );
  await writeFile(join(folder, 'homeward.yaml'), text);
  process.env[siteSecret] = password;
  sites = openSites(await loadInventory(join(folder, 'homeward.yaml')));
}, 60_000);
beforeEach(() => void delete process.env[guestSecret]);
afterAll(async () => {
  delete process.env[siteSecret];
  delete process.env[guestSecret];
  await sites?.close();
  await simulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

const script = { key: 'app-1', script: 'echo here', shell: 'sh', timeoutSeconds: 20 } as const;
const ensureScriptRun = () =>
  sites.target('home').ensureScriptRun({ ...script, machine, path: pathOf(machine), run: runA }, quietWork());

test('L5 a script whose guest login this worker lacks is left to another worker, as a person who reads of it is told', async () => {
  await expect(ensureScriptRun()).rejects.toMatchObject({
    kind: 'Transient',
    message: `this control worker has no login to the guest of erp-db: the environment variable ${guestSecret} is not set`,
    hint: expect.stringMatching(
      /^Another control worker that has it takes the step\. If none has: Set HOMEWARD_TEST_GUEST for /,
    ),
    retryAfterMs: 5_000,
  });
  process.env[guestSecret] = guestPassword;
  expect(await ensureScriptRun()).toMatchObject({ exitCode: 0 });
});

test('L5 S5 a probe in a guest that this worker cannot log in to has not failed: nobody has looked, and another worker may', async () => {
  const looks = createProbeActivities(sites, { tcp: lookAtPort, http: lookAtUrl });
  const policy = { commit: { probeEverySeconds: 0.1 } };
  const failback = { machine, target: { site: 'home', path: pathOf(machine) }, policy } as FailbackInput;
  const probes = [probe.parse({ kind: 'script', name: 'app', script: 'true', everySeconds: 0.1, timeoutSeconds: 1 })];
  const soak: Soak = { failback, run: runA, probes, seconds: 0.1 };
  const lacking = { type: 'Transient', nonRetryable: false, nextRetryDelay: 5_000 };
  await expect(inActivity(() => looks.observeProbes(soak))).rejects.toMatchObject(lacking);
  await expect(inActivity(() => looks.observeProbesHold(soak))).rejects.toMatchObject(lacking);
  process.env[guestSecret] = guestPassword;
  expect(await inActivity(() => looks.observeProbes(soak))).toMatchObject([{ passed: true }]);
  expect(await inActivity(() => looks.observeProbesHold(soak))).toMatchObject({ holds: true });
});
