/**
 * The time each light step is given, held against what it has to wait for.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventory } from '../../model/inventory.ts';
import {
  farewellStep,
  guestStep,
  lightStep,
  pointStep,
  probeStep,
  type StepTimes,
  scriptStep,
  tidyStep,
} from '../../workflows/step-times.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const longestGuestWait = 7_200;

test('L1 a guest that may take as long as any policy lets it is waited for to the policy’s end, not to the clock’s', () => {
  const policy = { policies: { slow: { guestWaitSeconds: longestGuestWait } }, sites: {} };
  expect(inventory.safeParse(policy).success).toBe(true);
  policy.policies.slow.guestWaitSeconds = longestGuestWait + 1;
  expect(inventory.safeParse(policy).success).toBe(false);
  const { attemptMs, allMs } = guestStep({ guestWaitSeconds: longestGuestWait });
  expect([attemptMs, allMs]).toEqual([
    longestGuestWait * 1000 + 10 * minuteMs,
    longestGuestWait * 1000 + 10 * minuteMs,
  ]);
});

test('L1 a recovery point may take two days, of which no single attempt is cut short', () => {
  expect(pointStep.attemptMs).toBe(48 * hourMs);
  expect(pointStep.allMs).toBeGreaterThan(pointStep.attemptMs);
});

test('L1 a script has the time that its agent and it may take, and probes that of the most patient one', () => {
  expect(scriptStep({ agentWaitSeconds: 900 }, { timeoutSeconds: 300 }).attemptMs).toBeGreaterThan(1_200_000);
  expect(probeStep([{ timeoutSeconds: 5 }, { timeoutSeconds: 600 }]).attemptMs).toBeGreaterThan(600_000);
  expect(probeStep([]).attemptMs).toBeGreaterThan(0);
});

test('S11 what scripts left is tidied up within a minute, so that it holds nobody up', () => {
  expect([tidyStep.attemptMs, tidyStep.allMs]).toEqual([minuteMs, minuteMs]);
});

test('L1 every step has an end, after which a person is asked or the run goes on', () => {
  const all: StepTimes[] = [
    lightStep,
    pointStep,
    tidyStep,
    guestStep({ guestWaitSeconds: 5 }),
    farewellStep({ heartbeatSeconds: 3 }),
  ];
  for (const { attemptMs, allMs } of all) {
    expect(attemptMs).toBeGreaterThan(0);
    expect(allMs).toBeGreaterThanOrEqual(attemptMs);
    expect(allMs).toBeLessThanOrEqual(50 * hourMs);
  }
});

interface Scheduled {
  readonly activityType: { readonly name: string };
  readonly startToCloseTimeout: string;
  readonly scheduleToCloseTimeout: string;
}

test('L1 in a recorded run the steps were given these times', () => {
  const file = join(__dirname, '../story/histories/committed-during.json');
  const { history } = JSON.parse(readFileSync(file, 'utf8')) as {
    history: { events: { activityTaskScheduledEventAttributes?: Scheduled }[] };
  };
  const timesOf = (name: string): number[] => {
    const found = history.events
      .flatMap(({ activityTaskScheduledEventAttributes: seen }) => seen ?? [])
      .find(({ activityType }) => activityType.name === name);
    return [found?.startToCloseTimeout, found?.scheduleToCloseTimeout].map(
      (text) => Number.parseFloat(text ?? '') * 1000,
    );
  };
  // The scene that records them gives a guest 30 s and a heartbeat 3 s.
  const guest = guestStep({ guestWaitSeconds: 30 });
  expect(timesOf('observeGuest')).toEqual([guest.attemptMs, guest.allMs]);
  expect(timesOf('ensureRecoveryPoint')).toEqual([pointStep.attemptMs, pointStep.allMs]);
  expect(timesOf('ensureSourceStopped')).toEqual([lightStep.attemptMs, lightStep.allMs]);
});
