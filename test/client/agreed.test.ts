/** What acts by itself is told before it can: at the start, before a person completes, and while it can still be stopped. */
import { describeCompletion } from '../../client/render/confirm.ts';
import { inputsOf, inputsText } from '../../client/render/inputs.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { whatToType } from '../../client/render/to-type.ts';
import { parseInventory } from '../../config/load.ts';
import { agreedIn } from '../../model/agreed.ts';
import { type FailbackInput, failbackInput } from '../../model/failback-input.ts';
import { soundPolicy } from '../../model/inventory.ts';
import type { DiskPair } from '../../model/machine.ts';
import type { RoundsStatus } from '../../model/status.ts';
import { failbackDetails, roundsDetails } from '../../workflows/details.ts';
import { rightText } from '../config/inventory-text.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const policyWith = (more: object) => {
  const policy = soundPolicy(more);
  if (!policy) throw new Error('the policy of this test is not sound');
  return policy;
};
const everything = policyWith({
  beforeStop: [{ name: 'drain', script: 'true' }],
  afterStart: [{ name: 'mail', script: 'true' }],
  probes: [{ name: 'app', kind: 'tools' }],
  prove: 'isolated',
  keepFinalSnapshotsDays: 7,
  gateExpiresSeconds: 600,
  commit: {
    people: 2,
    approved: { by: 'ana', soakSeconds: 3_600 },
    rollback: { when: 'probes-fail', lossAcceptedBy: 'olga' },
  },
});
const byItself =
  "the commit follows by itself 3600 s after all probes hold, approved by ana: Azure's machine and its disks are deleted then";
const others = [
  'a probe that fails, or a guest that does not answer, takes the run back by itself; what was written at home is lost then, accepted by olga',
  'somebody else than the one who completes must commit',
  'scripts in the source before it is stopped: drain;',
  'inside the outage it boots once on a network that leads nowhere',
  'scripts at home after the start: mail;',
  'must pass at home: app',
  'the final snapshots stay 7 days after the commit',
];

test('S2 S002-11 whoever completes reads first that a commit follows by itself, then all else that the policy does', () => {
  const status = statusIn('Syncing', { agreed: agreedIn(everything) });
  const text = describeCompletion(viewOf(status), status, undefined, now);
  expect(text.split('\n')[1]).toContain(byItself);
  for (const words of others) expect(text).toContain(words);
  const quiet = statusIn('Syncing', { agreed: agreedIn(policyWith({})) });
  expect(describeCompletion(viewOf(quiet), quiet, undefined, now)).toBe(
    describeCompletion(viewOf(statusIn('Syncing')), statusIn('Syncing'), undefined, now),
  );
});

test('S000-25 the start tells all that the policy does by itself, the commit first', () => {
  const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db') as FailbackInput;
  const text = inputsText(inputsOf({ ...input, policy: everything }, 'nightly'));
  for (const words of [byItself, ...others, 'within 600 s of its waiting, the run is taken back'])
    expect(text).toContain(words);
  expect(text.indexOf(byItself)).toBeLessThan(text.indexOf(others[0] ?? ''));
});

test('R4 S3 the rounds in the Temporal UI count what the policy reread reads again inside the outage, at the pace of the scrub or an assumed one', () => {
  const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db') as FailbackInput;
  const pairs = [{ source: { sizeBytes: 80 * 1024 ** 3 } }] as unknown as DiskPair[];
  const round = {
    number: 1,
    mode: 'full' as const,
    takenAt: ago(60),
    endedAt: ago(0),
    durationMs: 60_000,
    changedBytes: 0,
    copiedBytes: 0,
  };
  const last = { disk: 'os', pass: 1, bytes: 40 * 1024 ** 3, startedAt: ago(300), endedAt: ago(100) };
  const shown = (reread: boolean, more: Partial<RoundsStatus> = {}): string => {
    const rounds = { done: 0, recent: [], copiedBytes: 0, changedBytes: 0, now: 'round 1', ...more };
    return roundsDetails({ ...input, policy: { ...input.policy, reread } }, pairs, rounds as RoundsStatus);
  };
  const outage = (text: string): number => Number(/about (\d+) s \(/.exec(text)?.[1]);
  const begun = { recent: [round], scrubs: [{ disk: 'os', damages: 0, last }] };
  expect(shown(true)).toContain('205 s of it to read all 81920.0 MiB again (policy reread)');
  expect(shown(true)).toMatch(/assumed, not measured yet: .*pace of reading again/);
  expect(outage(shown(true)) - outage(shown(false))).toBe(205);
  expect(shown(true, begun)).toContain('400 s of it to read all');
  expect(shown(true, begun)).not.toContain('pace of reading again');
  expect(outage(shown(true, begun)) - outage(shown(false, begun))).toBe(400);
  expect(shown(false, begun)).not.toContain('reread');
});

test('L4 while a commit approved beforehand is on its way, it is told how to stop it; nothing counts down in any other phase', () => {
  const arrival = {
    ...{ steps: [], probes: [] },
    soak: { since: ago(60), until: ago(-600), approvedBy: 'ana', state: 'holds' as const },
  };
  const shown = (status: ReturnType<typeof statusIn>): string =>
    renderStatus(viewOf(status), now, plainStyle).replace(/\s+/g, ' ') + failbackDetails(status);
  const soaking = shown(statusIn('AwaitingCommit', { arrival }));
  expect(soaking).toContain('the commit follows in 10 min, approved beforehand by ana');
  expect(soaking).toContain('homeward failback hold erp-db');
  expect(soaking).toContain('homeward failback cancel --accept-loss erp-db');
  expect(soaking).toContain('send `hold` `{"by":"you"}`');
  const held = shown(statusIn('AwaitingCommit', { arrival, held: { by: 'ben', at: ago(1) } }));
  const over = shown(statusIn('Committed', { arrival }));
  for (const text of [held, over]) expect(text).not.toMatch(/the commit follows|follows at|hold erp-db/);
});

test('S7 where the policy wants two people, the status quotes who completed it and asks for somebody else', async () => {
  const { statusOf } = await import('../../workflows/status-of.ts');
  const { beginStory } = await import('../../model/transition.ts');
  const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db') as FailbackInput;
  const story = {
    ...beginStory('run-1', input.mover, { people: 2 }),
    ...{ phase: 'AwaitingCommit' as const, completion: { by: 'Ana', at: ago(60) } },
  };
  const moments = { startedAt: ago(90), phaseSince: ago(50) };
  const { waitsFor } = statusOf(input, story, { checks: [], pairs: [], seals: [], leftOut: [] }, [], moments);
  expect(waitsFor).toContain('somebody else than Ana');
});

test('S7 the command that is offered where two people are wanted names who must not say it', () => {
  const status = statusIn('AwaitingCommit', { commitNeedsTwo: true, completion: { by: 'Ana', at: ago(60) } });
  const back = 'homeward failback cancel --accept-loss erp-db';
  expect(whatToType(status)).toEqual(['homeward failback commit erp-db  # to be said by somebody else than Ana', back]);
  expect(whatToType(statusIn('AwaitingCommit', { completion: { by: 'Ana', at: ago(60) } }))).toEqual([
    'homeward failback commit erp-db',
    back,
  ]);
});
