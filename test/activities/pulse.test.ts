/**
 * When an attempt has lost its pulse, by clocks of the test's own.
 */
import { Pulse } from '../../activities/pulse.ts';

function stoppedClock() {
  const clock = { monotonic: 0, wall: 1_700_000_000_000 };
  return {
    monotonicMs: () => clock.monotonic,
    wallMs: () => clock.wall,
    on(ms: number, wallMs = ms) {
      clock.monotonic += ms;
      clock.wall += wallMs;
    },
  };
}

const open = (timeoutMs = 30_000) => {
  const clock = stoppedClock();
  return { clock, pulse: new Pulse('ensureTargetStarted', timeoutMs, clock) };
};
const lost = { kind: 'Transient', op: 'heartbeat', subject: 'ensureTargetStarted' };
const asked = (pulse: Pulse): unknown => {
  try {
    pulse.assertThere();
  } catch (error) {
    return error;
  }
  return 'there';
};

test('S1 an attempt that beats in time may go on sending for as long as it takes', () => {
  const { clock, pulse } = open();
  for (let beat = 0; beat < 1_000; beat++) {
    clock.on(1_000);
    expect(pulse.beats()).toBe(true);
    pulse.assertThere();
  }
  expect(pulse.signal.aborted).toBe(false);
});

test('S1 an attempt that stood still is lost at the moment it asks, before any timer could tell', () => {
  const { clock, pulse } = open();
  clock.on(31_000);
  expect(asked(pulse)).toMatchObject(lost);
  expect(pulse.signal.reason).toMatchObject(lost);
});

test('S1 a machine whose monotonic clock stood still with it is found out by the wall clock', () => {
  const { clock, pulse } = open();
  clock.on(5, 31_000);
  expect(asked(pulse)).toMatchObject(lost);
});

test('S1 the wall clock that is set back hides nothing, and alone ends nothing', () => {
  const { clock, pulse } = open();
  clock.on(10_000, -3_600_000);
  expect(asked(pulse)).toBe('there');
  clock.on(25_000, -3_600_000);
  expect(asked(pulse)).toMatchObject(lost);
});

test('S1 a beat that comes after the silence makes no lost attempt young again', () => {
  const { clock, pulse } = open();
  clock.on(31_000);
  expect(pulse.beats()).toBe(false);
  clock.on(1);
  expect(asked(pulse)).toMatchObject(lost);
});

test('S1 an attempt is lost a while before Temporal gives it up, because a beat needs time to get there', () => {
  const { clock, pulse } = open(3_000);
  clock.on(2_200);
  expect(asked(pulse)).toBe('there');
  clock.on(100);
  expect(asked(pulse)).toMatchObject(lost);
});

test('an attempt that Temporal never gives up for silence is never lost', () => {
  const clock = stoppedClock();
  const pulse = new Pulse('x', undefined, clock);
  clock.on(7 * 24 * 3_600_000);
  expect(asked(pulse)).toBe('there');
});
