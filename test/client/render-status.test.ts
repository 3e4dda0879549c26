/**
 * What people see of a run, on wide, narrow and low terminals, with and without colour.
 */
import { styleText } from 'node:util';
import { describeCompletion } from '../../client/render/confirm.ts';
import { renderLine, renderRefusal } from '../../client/render/line.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { messageMeaning } from '../../model/message.ts';
import { ago, now, silentView, statusIn, syncing, viewOf } from './views.ts';

test('a run at the gate shows rounds, bars, cost and what to type', () => {
  expect(renderStatus(syncing, now, plainStyle)).toBe(
    `
erp-db  Syncing
  since 11:48:00 UTC, 12 min
  Copies what changed, round after round, until a person completes the failover.

  from    azure-west rg-dr/erp-db
  to      home /DC0/vm/erp-db
  serves  source
  disks   open, current to the last round
  way     sync before, write in-place, mover m1

  os      ██████████████░░░░░   75%  copying  112.0 MiB/s  96.0 MiB of 128.0 MiB
  data-0  ███████████████████  100%  proving               54.0 MiB of 54.0 MiB

  To move: 182.0 MiB; still about 4 s (3 s to 6 s).

  2 rounds done, 90.2 GiB copied; now: round 3: copying
    #2 delta 182.0 MiB changed, 182.0 MiB copied in 14 s, as of 2 min ago
    #1 full 130.0 GiB changed, 90.0 GiB copied in 5 min, as of 10 min ago

  Completing now: about 45.0 MiB (20.0 MiB to 135.0 MiB) to move, about 91 s (30
    s to 5 min) of outage; stop, seal and start are assumed, no run has measured
    them yet.

  Waits for: completeFailover
  Type: homeward failback complete erp-db

  Refused commit by bob at 11:59:00 UTC: the run is in phase Syncing`.slice(1),
  );
});

test('a run says of each disk when it was last read again in full, what a scrub found, and what reading all again costs', () => {
  const last = { disk: 'os', pass: 2, bytes: 30 * 1024 ** 3, startedAt: ago(2_000), endedAt: ago(1_200) };
  const damage = 'block 7 [29360128, 33554432) is no longer what was proven';
  const scrubs = [
    { disk: 'os', damages: 0, last },
    { disk: 'data-0', damages: 1, damage },
    { disk: 'data-1', damages: 2, problem: 'Transient: no mover took the work' },
  ];
  const reread = { bytes: 130 * 1024 ** 3, seconds: 333, measured: false };
  const rounds = { done: 2, recent: [], copiedBytes: 0, changedBytes: 0, now: 'round 3: copying', scrubs };
  const wide = { ...plainStyle, width: 200 };
  const band = (likely: number) => ({ likely, low: likely, high: likely });
  const forecast = { bytes: band(0), outageSeconds: band(423), assumed: [], reread };
  const text = renderStatus({ ...syncing, rounds, forecast }, now, wide);
  expect(text).toContain(
    `
  scrub os: all 30.0 GiB read again and equal (pass 2, ended 11:40:00 UTC, 20 min ago)
  scrub data-0: damaged: ${damage}; it is being copied in full again
  scrub data-1: not yet read again in full; damaged 2 times in this run, copied in full; last try: Transient: no mover took the work`,
  );
  expect(text.replace(/\s+/g, ' ')).toContain(
    'of outage, 6 min of it to read all 130.0 GiB again (policy reread), at a pace that is assumed',
  );
});

test('a narrow terminal loses no fact and breaks no line', () => {
  const text = renderStatus(syncing, now, { width: 36, color: false, unicode: true });
  const commands = (line: string) => line.includes('homeward failback');
  expect(text.split('\n').filter((line) => line.length > 36 && !commands(line))).toEqual([]);
  expect(text).toContain('  os      ████████░░░   75%  copying');
  expect(text.replace(/\s+/g, ' ')).toContain(
    'Completing now: about 45.0 MiB (20.0 MiB to 135.0 MiB) to move, about 91 s (30 s to 5 min) of outage',
  );
});

test('a low screen keeps the phase, the bars and what to type', () => {
  const text = renderStatus(syncing, now, { ...plainStyle, height: 12 });
  expect(text.split('\n').length).toBeLessThan(12);
  for (const fact of ['erp-db  Syncing', '75%  copying', 'Type: homeward failback complete erp-db'])
    expect(text).toContain(fact);
  expect(text).not.toContain('Refused commit');
});

test('a terminal without block characters gets plain ASCII bars', () => {
  expect(renderStatus(syncing, now, { ...plainStyle, unicode: false })).toContain('os      ##############-----   75%');
});

test('colour adds nothing but colour', () => {
  const text = renderStatus(syncing, now, { ...plainStyle, color: true });
  expect(text).toContain(styleText(['cyan', 'bold'], 'Syncing', { validateStream: false }));
});

test('a cause that names its step and its subject itself is not told them twice', () => {
  const at = { kind: 'Transient', op: 'snapshots.delete', subject: 'snap-1', hint: 'Wait.', since: ago(90) };
  const shown = (message: string): string =>
    renderStatus(
      viewOf(statusIn('NeedsOperator', { left: 'Committing', trouble: { ...at, message } })),
      now,
      plainStyle,
    ).replace(/\s+/g, ' ');
  for (const message of ['busy', 'snapshots.delete on snap-1: busy'])
    expect(shown(message)).toContain('Transient: snapshots.delete on snap-1: busy What to do');
});

test('a call for an operator shows the cause, what to do and both answers', () => {
  const trouble = {
    kind: 'Refused',
    op: 'snapshots.create',
    subject: 'erp-db_os',
    message: 'quota exceeded',
    hint: 'Raise the quota.',
    since: ago(90),
  };
  const view = viewOf(
    statusIn('NeedsOperator', { left: 'FinalSync', trouble, waitsFor: 'resolve', phaseSince: ago(90) }),
  );
  const text = renderStatus(view, now, plainStyle);
  for (const fact of [
    'erp-db  NeedsOperator (was FinalSync)',
    'Refused: snapshots.create on erp-db_os: quota exceeded',
    'What to do: Raise the quota.',
    'waiting for a person since 11:58:30 UTC, 90 s',
    'Type: homeward failback resolve erp-db --retry',
    'Type: homeward failback resolve erp-db --undo',
  ])
    expect(text).toContain(fact);
});

test('what is sent to Temporal is no part of what a person at the command line reads', () => {
  const view = viewOf(statusIn('Syncing', { waitsFor: 'completeFailover: Stop the source. {"by":"you"}' }));
  const text = renderStatus(view, now, plainStyle);
  expect(text).toContain('Waits for: completeFailover: Stop the source.');
  const resolve = viewOf(
    statusIn('NeedsOperator', { left: 'Syncing', waitsFor: `resolve: ${messageMeaning.resolve}` }),
  );
  const called = renderStatus(resolve, now, plainStyle);
  expect(called).toContain('Waits for: resolve: Answer a call for an operator.\n');
  expect(text + called).not.toContain('{"by"');
});

test('a held run shows who holds it and how to go on', () => {
  const text = renderStatus(viewOf(statusIn('Syncing', { held: { by: 'ana', at: ago(5) } })), now, plainStyle);
  expect(text).toContain('erp-db  Syncing  held by ana');
  expect(text).toContain('Type: homeward failback resume erp-db');
});

test('the outage is counted while it lasts and told when it is over', () => {
  const during = viewOf(statusIn('FinalSync', { outage: { startedAt: ago(75) } }));
  expect(renderStatus(during, now, plainStyle)).toContain('Outage so far: 75 s (began 11:58:45 UTC)');
  const after = viewOf(statusIn('AwaitingCommit', { outage: { startedAt: ago(300), endedAt: ago(200) } }));
  expect(renderStatus(after, now, plainStyle)).toContain('Outage: 100 s, over (began 11:55:00 UTC)');
});

test('S5 of several outages the last one and all together are told, also while one lasts; an end that was not seen is no end', () => {
  const outagesBefore = [{ startedAt: ago(300), endedAt: ago(200) }];
  const back = viewOf(statusIn('Undoing', { outage: { startedAt: ago(20) }, outagesBefore }));
  expect(renderStatus(back, now, plainStyle)).toContain(
    'Outage so far: 20 s (began 11:59:40 UTC); 2 outages, 2 min together',
  );
  expect(renderLine(back)).toContain('outage under way');
  const outage = { startedAt: ago(20), endedAt: ago(15) };
  const over = viewOf(statusIn('ReturnedToSource', { outage, outagesBefore }), { execution: 'completed' });
  expect(renderStatus(over, now, plainStyle)).toContain('Outage: 5 s, over (began 11:59:40 UTC); 2 outages, 105 s');
  expect(renderLine(over)).toContain('outage 5 s (2 outages, 105 s together)');
  expect(renderStatus({ ...back, execution: 'completed' }, now, plainStyle)).toContain(
    'Outage: the run did not see its end (began 11:59:40 UTC)',
  );
});

test('a step that is tried again stands out with why', () => {
  const step = { activity: 'transferDisk', workflowId: 'machine/erp-db/rounds', activityId: 'transfer-os' };
  const pending = [{ ...step, attempt: 3, paused: false, lastFailure: 'ECONNRESET' }];
  expect(renderStatus(viewOf(statusIn('Seeding'), { pending }), now, plainStyle)).toContain(
    'now: copy os, attempt 3; before: ECONNRESET',
  );
});

test('of two reports on one disk the newer epoch is shown', () => {
  const report = { disk: 'os', stage: 'copying', totalBytes: 100, bytesPerSecond: 0 } as const;
  const transfers = [
    { ...report, doneBytes: 90, epoch: 2 },
    { ...report, doneBytes: 10, epoch: 1 },
  ];
  expect(renderStatus(viewOf(statusIn('Seeding'), { transfers }), now, plainStyle)).toContain('90%');
});

test('a run that is over says what remains on the source', () => {
  const view = viewOf(statusIn('Committed'), { execution: 'completed', remains: ['nic-1'] });
  expect(renderStatus(view, now, plainStyle)).toContain('Remains on the source: nic-1');
  expect(renderStatus({ ...view, remains: [] }, now, plainStyle)).toContain('Nothing of it remains on the source.');
});

test('a run whose mover nobody runs says which worker is missing, what waits since when, and how to start it', () => {
  const missing = [
    {
      queue: 'mover-m1',
      lastSeenAt: ago(400),
      waiting: [
        { activity: 'transferDisk', activityId: 'transfer-os', since: ago(330) },
        { activity: 'transferDisk', activityId: 'transfer-data-0', since: ago(320) },
      ],
      start: 'npm run mover -- --config homeward.yaml --id m1',
    },
  ];
  const text = renderStatus(viewOf(statusIn('Seeding'), { missing }), now, { ...plainStyle, width: 200 });
  expect(text).toContain(
    `
  Nobody runs the mover m1: the task queue "mover-m1" was last asked for work at 11:53:20 UTC, 7 min ago.
  Nothing has happened since 11:54:30 UTC, 6 min; what waits for it: copy os, copy data-0.
  Start it: npm run mover -- --config homeward.yaml --id m1`,
  );
  // Whoever completes now begins an outage that nobody carries to its end.
  const syncing = statusIn('Syncing');
  expect(describeCompletion(viewOf(syncing, { missing }), syncing, undefined, now)).toContain(
    '  but        Nobody runs the mover m1: the task queue "mover-m1" was last asked for work at 11:53:20 UTC, 7 min ago. Start it first: npm run mover -- --config homeward.yaml --id m1\n',
  );
  expect(describeCompletion(viewOf(syncing), syncing, undefined, now)).not.toContain('Nobody runs');
  expect(renderLine(viewOf(statusIn('Seeding'), { missing }))).toBe('erp-db Seeding; nobody runs the mover m1');
  const control = [{ queue: 'control', waiting: [], start: 'npm run control -- --config homeward.yaml' }];
  const unasked = renderStatus({ ...silentView, missing: control }, now, { ...plainStyle, width: 200 });
  // Also true of a server that is seconds old: it says nothing of how long.
  expect(unasked).toContain(
    'Nobody runs a control worker: the server remembers nobody who asked the task queue "control" for work.',
  );
  expect(unasked).toContain('  Start it: npm run control -- --config homeward.yaml');
});

test('text from outside cannot move the cursor or turn the line', () => {
  const evil = 'x\u001b[2J\u001b]0;title\u0007\r\n\u202eevil';
  const refusals = [{ message: 'hold', by: evil, at: ago(1), phase: 'Syncing', reason: evil } as const];
  const text = renderStatus(viewOf(statusIn('Syncing', { refusals })), now, plainStyle);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
});

test('S000-21 where what is to be moved is another figure than that of the bars, it says why', () => {
  const told = (likely: number, barBytes: number): string => {
    const copy = { listed: true, bytes: { likely, low: likely, high: likely }, barBytes };
    return renderStatus({ ...syncing, copy }, now, { ...plainStyle, width: 200 });
  };
  const [less, more] = [100 * 1024 ** 2, 700 * 1024 ** 2];
  expect(told(less, more)).toContain(
    'To move: 100.0 MiB of the 700.0 MiB above; the rest is zeros or at home already;',
  );
  expect(told(more, less)).toContain('To move: 700.0 MiB for the 100.0 MiB above, because what lies between close');
  expect(told(more, more + 1)).toContain('To move: 700.0 MiB; ');
});

test('L3 rounds that get nowhere are said so with both rates and what can be done', () => {
  const convergence = {
    ...{ converges: false, round: 4 },
    ...{ changedBytesPerSecond: 12 * 1024 ** 2, movedBytesPerSecond: 8 * 1024 ** 2 },
  };
  const rounds = { done: 4, recent: [], copiedBytes: 0, changedBytes: 0, now: 'round 5: copying', convergence };
  const view = viewOf(statusIn('Syncing'), { rounds });
  const shown = renderStatus(view, now, plainStyle).replace(/\s+/g, ' ');
  expect(shown).toContain(
    'Changes faster than the link: 12.0 MiB/s change, 8.0 MiB/s are moved (the last rounds together, up to round 4). Each round',
  );
  for (const other of [statusIn('FinalSync'), { ...statusIn('Syncing'), held: { by: 'ana', at: ago(1) } }])
    expect(renderStatus(viewOf(other, { rounds }), now, plainStyle)).not.toContain('the link');
  expect(shown).toContain('Make the link faster, quieten the machine, or complete at the cost shown');
  expect(shown).not.toContain('homeward limits');
  const limit = { bytesPerSecond: 8 * 1024 ** 2, by: 'site azure-west' };
  const limited = { ...rounds, convergence: { ...convergence, limit } };
  const slowed = renderStatus(viewOf(statusIn('Syncing'), { rounds: limited }), now, plainStyle);
  expect(slowed.replace(/\s+/g, ' ')).toContain('Raise or lift the limit of site azure-west, quieten the machine, or');
  expect(slowed).toContain('\n  Type: homeward limits set none --site azure-west  # or another rate than none\n');
  expect(renderLine(view)).toContain('changes faster than the link: 12.0 MiB/s change, 8.0 MiB/s are moved');
  const told = (changed: number): string => {
    const again = { ...convergence, converges: true, changedBytesPerSecond: changed * 1024 ** 2 };
    const shown = viewOf(statusIn('Syncing'), { rounds: { ...rounds, convergence: again } });
    return `${renderStatus(shown, now, plainStyle)}\n${renderLine(shown)}`.replace(/\s+/g, ' ');
  };
  expect(told(7)).not.toMatch(/ the link/i);
  // A disk that is written anew as fast as it is moved: no round grows, and none gets shorter.
  expect(told(7.5)).toContain(
    'Changes about as fast as the link: 7.5 MiB/s change, 8.0 MiB/s are moved (the last rounds together, up to round 4).',
  );
  expect(told(7.5)).toContain('The rounds hardly get shorter, and neither does the outage of completing.');
  expect(told(7.5)).toContain('; changes about as fast as the link: 7.5 MiB/s change, 8.0 MiB/s are moved');
});

test('S000-21 before the lists are read the bound is shown, with a time only where a run has measured a rate', () => {
  const copy = { listed: false, bytes: { likely: 130, low: 0, high: 130 * 1024 ** 3 } };
  const view = viewOf(statusIn('Seeding'), { copy });
  expect(renderStatus(view, now, plainStyle)).toContain('To move: between 0 B and 130.0 GiB; known once the lists are');
  const seconds = { likely: 3_600, low: 0, high: 5_400 };
  const timed = renderStatus({ ...view, copy: { ...copy, seconds } }, now, { ...plainStyle, width: 200 });
  expect(timed).toContain('130.0 GiB, at the rate of the last run up to 90 min; known');
});

test('one round is one round', () => {
  const rounds = { done: 1, recent: [], copiedBytes: 0, changedBytes: 0, now: 'x' };
  expect(renderLine(viewOf(statusIn('Syncing'), { rounds }))).toContain('Syncing; 1 round, 0 B');
});

test('a line for logs says the phase, the rounds and the share of each disk as its bar does', () => {
  expect(renderLine(syncing)).toBe(
    'erp-db Syncing; 2 rounds, 90.2 GiB; data-0 proving 100%; os copying 75%; waits for: completeFailover',
  );
  expect(renderRefusal(syncing)).toBe('erp-db refused commit by bob: the run is in phase Syncing');
});

test('a machine that goes to another mover says to which one, and who said so', () => {
  const reassignment = { by: 'ana', at: ago(5), mover: 'm2' };
  const view = viewOf(statusIn('Seeding', { reassignment }));
  expect(renderStatus(view, now, plainStyle)).toContain('mover m1 (m2 takes over, said by ana)');
  expect(renderLine(view)).toContain('erp-db Seeding; goes to m2');
});

test('L6 a call for an operator names the step that skip would leave out', () => {
  const step = 'remove our marks from the target';
  const trouble = { kind: 'Refused', op: 'o', subject: 's', message: 'no', hint: 'Mend it.', since: ago(90), step };
  const text = renderStatus(viewOf(statusIn('NeedsOperator', { left: 'Committing', trouble })), now, plainStyle);
  expect(text).toContain(`Skip would leave out: ${step}`);
  expect(text).not.toMatch(/\bundo\b/);
});

test('what a person said is told as said, with the reason they gave, and an end that was none of theirs is not told as completed', () => {
  const said = { by: 'ana', at: ago(300) };
  const back = { by: 'bob', at: ago(60), note: 'the wrong weekend' };
  const status = statusIn('ReturnedToSource', { completion: said, cancellation: back });
  const text = renderStatus(viewOf(status, { execution: 'completed' }), now, plainStyle);
  expect(text).toContain('ana said complete at 11:55:00 UTC');
  expect(text).toContain('bob said cancel at 11:59:00 UTC (the wrong weekend)');
  expect(text).toContain('ReturnedToSource  the run is over\n');
  expect(text).not.toContain('completed');
  expect(renderLine(viewOf(status, { execution: 'completed' }))).toMatch(/ReturnedToSource.*; the run is over$/);
  expect(renderStatus(viewOf(status, { execution: 'terminated' }), now, plainStyle)).toContain('over: terminated');
  const held = statusIn('Syncing', { held: { by: 'ana', at: ago(9), note: 'freeze' } });
  expect(renderStatus(viewOf(held), now, plainStyle)).toContain('held by ana (freeze)');
});

test('a step that is done now is told in words, with its disk, and never by its name in the code', () => {
  const step = { workflowId: 'w', attempt: 2, paused: false };
  const pending = [
    { ...step, activity: 'transferDisk', activityId: 'transfer-os' },
    { ...step, activity: 'transferDisk', activityId: 'transfer-data-0-2' },
    { ...step, activity: 'ensureSourceRetired', activityId: '17', doing: 'ensureSourceRetired' },
  ];
  const text = renderStatus(viewOf(statusIn('Syncing'), { pending }), now, plainStyle);
  expect(text).toContain('now: copy os, attempt 2');
  expect(text).toContain('now: copy data-0, attempt 2');
  expect(text).toContain('now: delete the source, attempt 2');
  expect(text).not.toMatch(/transferDisk|ensureSourceRetired/);
});

test('L5 a copy that waits for its turn on a busy mover stands out as no trouble', () => {
  const one = { workflowId: 'w', attempt: 3, paused: false, activity: 'transferDisk', activityId: 'transfer-os' };
  const told = (lastFailure: string | undefined, noPlace?: true): string => {
    const pending = [{ ...one, ...(lastFailure && { lastFailure }), ...(noPlace && { noPlace }) }];
    return renderStatus(viewOf(statusIn('Syncing'), { pending }), now, { ...plainStyle, color: true });
  };
  expect(told('it comes again in 60 s', true)).toContain(
    '\n  now: copy os waits for its turn: it comes again in 60 s\n',
  );
  expect(told(undefined, true)).not.toContain('now:');
  expect(told('reset')).toContain('\u001b[33m  now: copy os, attempt 3; before: reset');
});

test('L1 a seal says that all is copied and proven instead of 0 %; one that reads all again says how far', () => {
  const seal = {
    disk: 'os',
    stage: 'sealing',
    seal: true,
    doneBytes: 0,
    totalBytes: 30 * 1024 ** 3,
    bytesPerSecond: 0,
    epoch: 2,
  } as const;
  const shown = (doneBytes: number): string =>
    renderStatus(viewOf(statusIn('Sealing'), { transfers: [{ ...seal, doneBytes }] }), now, plainStyle);
  expect(shown(0)).toContain('os      all copied and proven; sealing\n');
  expect(shown(0)).not.toMatch(/%|To move/);
  expect(shown(15 * 1024 ** 3)).toMatch(/os .* 50% {2}sealing/);
  const still = (stage: 'paused' | 'waiting'): string =>
    renderStatus(viewOf(statusIn('Sealing'), { transfers: [{ ...seal, stage }] }), now, plainStyle);
  expect(still('paused')).toContain('os      all copied and proven; its seal is paused\n');
  expect(still('waiting')).toContain('os      all copied and proven; its seal waits for the mover\n');
  expect(still('waiting')).not.toMatch(/%|To move/);
  const line = (doneBytes: number): string =>
    renderLine(viewOf(statusIn('Sealing'), { transfers: [{ ...seal, doneBytes }] }));
  expect(line(0)).toMatch(/; os sealing(;|$)/);
  expect(line(15 * 1024 ** 3)).toContain('os sealing 50%');
});
