/**
 * The witness catches planted violations, and stays silent over a whole failback done right.
 * Rule: worlds are written down by hand, one fault a test, and the fault must come out under its own promise.
 * Never starts a simulator: the judge gets its effects directly, once also over HTTP.
 */
import type { Evidence } from '../../lab/witness/invariants.ts';
import type { Effect, WatchedMachine, WorldView } from '../../lab/witness/view.ts';
import { createJudge, startWitness, type WitnessPlan } from '../../lab/witness/witness.ts';

const machine: WatchedMachine = {
  name: 'erp-db',
  source: { vm: 'erp-db', disks: ['erp-db-os', 'erp-db-data'], nics: ['erp-db-nic'] },
  target: 'erp-db',
  movers: ['mover'],
};
const disk = (file: string) => ({ file: `[ds] ${file}.vmdk`, path: `/ds/${file}`, sizeBytes: 1 });
const os = disk('erp-db/erp-db');
const data = disk('erp-db/erp-db_1');
const applianceDisk = disk('mover/mover');

type Power = WorldView['azure']['vms'][number]['power'];
interface Scene {
  source?: Power | 'gone';
  target?: 'on' | 'off';
  targetDisks?: (typeof os)[];
  moverDisks?: (typeof os)[];
  azureDisks?: string[];
  nics?: string[];
  snapshots?: string[];
  grants?: string[];
}

const view = (scene: Scene = {}): WorldView => ({
  azure: {
    vms:
      scene.source === 'gone'
        ? []
        : [{ name: 'erp-db', power: scene.source ?? 'running', disks: machine.source.disks }],
    disks: scene.azureDisks ?? machine.source.disks,
    nics: scene.nics ?? machine.source.nics,
    snapshots: (scene.snapshots ?? []).map((name) => ({ name, tags: { machine: 'erp-db' } })),
    grants: scene.grants ?? [],
  },
  vsphere: {
    vms: [
      { name: 'mover', power: 'on', tools: '', snapshots: 0, disks: [applianceDisk, ...(scene.moverDisks ?? [])] },
      { name: 'erp-db', power: scene.target ?? 'off', tools: '', snapshots: 0, disks: scene.targetDisks ?? [os, data] },
    ],
  },
});

interface Bytes {
  /** What the files and the Azure disks hold: equal by default. */
  sha?: Record<string, string>;
  signatures?: Record<string, string[]>;
  changed?: Record<string, number>;
}

const evidenceOf = (bytes: Bytes): Evidence => ({
  targetSha256: async (path) => bytes.sha?.[path] ?? 'same',
  sourceSha256: async (name) => bytes.sha?.[name] ?? 'same',
  signatures: async (path) => bytes.signatures?.[path] ?? [],
  changedAtMs: async (path) => bytes.changed?.[path] ?? 0,
  nowMs: () => 0,
  moment: async () => undefined,
});

/** Plays effects over a world; each step says the world as it is right after it. */
async function play(steps: readonly (readonly [Effect, Scene, Bytes?])[], committed = false) {
  let scene: Scene = {};
  let bytes: Bytes = {};
  let clock = 0;
  const evidence: Evidence = {
    targetSha256: (path) => evidenceOf(bytes).targetSha256(path),
    sourceSha256: (name) => evidenceOf(bytes).sourceSha256(name),
    signatures: (path) => evidenceOf(bytes).signatures(path),
    changedAtMs: (path) => evidenceOf(bytes).changedAtMs(path),
    nowMs: () => (clock += 10_000),
    moment: async () => undefined,
  };
  const judge = createJudge({ machines: [machine], look: async () => view(scene), evidence });
  await judge.begin();
  if (committed) judge.allow('erp-db');
  for (const [effect, after, seen] of steps) {
    scene = after;
    bytes = seen ?? {};
    await judge.judge(effect);
  }
  return { judge, ids: judge.violations.map((each) => each.invariant) };
}

const onPrem = (op: string, file?: string, vm = 'erp-db'): Effect => ({ world: 'vsphere', op, vm, file });
const inAzure = (op: string, resource: string): Effect => ({ world: 'azure', op, resource });
const deallocate = inAzure('deallocate', 'virtualMachines/erp-db');
const opened = { targetDisks: [], moverDisks: [os, data] };
const stopped = { source: 'deallocated' as const };

const wholeFailback: [Effect, Scene, Bytes?][] = [
  [onPrem('attachDisk', os.file, 'mover'), opened],
  [inAzure('create', 'snapshots/s1'), { ...opened, snapshots: ['s1'] }, { changed: { [os.path]: 5 } }],
  [deallocate, { ...opened, ...stopped, snapshots: ['s1'] }],
  [onPrem('detachDisk', os.file, 'mover'), { ...stopped, targetDisks: [] }],
  [onPrem('attachDisk', os.file), stopped],
  [onPrem('powerOn'), { ...stopped, target: 'on' }],
];

describe('The witness', () => {
  test('is silent over a failback done right, commit and clean-up included', async () => {
    const end: Scene = { source: 'gone', azureDisks: [], nics: [], target: 'on' };
    const { judge, ids } = await play([...wholeFailback, [inAzure('delete', 'disks/erp-db-os'), end]], true);
    expect(ids).toEqual([]);
    expect(await judge.checkEnd({ expect: 'committed' })).toEqual([]);
  });

  test('sees source and target run at once (S1)', async () => {
    const { ids } = await play([[onPrem('powerOn'), { target: 'on' }]]);
    expect(ids).toContain('S1');
  });

  test('sees a source started by hand while the target runs (S1)', async () => {
    const { ids } = await play([
      ...wholeFailback,
      [inAzure('start', 'virtualMachines/erp-db'), { source: 'running', target: 'on' }],
    ]);
    expect(ids).toEqual(['S1']);
  });

  test('sees a target start before the source was seen deallocated (S1)', async () => {
    const { ids } = await play([[onPrem('powerOn'), { source: 'stopped', target: 'on' }]]);
    expect(ids).toContain('S1');
  });

  test.each([
    ['disk', { azureDisks: ['erp-db-os'] }],
    ['network interface', { nics: [] }],
    ['virtual machine', { source: 'gone' as const }],
  ])('sees a source %s deleted before the commit (S2)', async (_what, after) => {
    const { ids } = await play([[inAzure('delete', 'disks/x'), after]]);
    expect(ids).toEqual(['S2']);
  });

  test('sees a disk come back that differs from its source (S3)', async () => {
    const steps = [...wholeFailback];
    steps[4] = [onPrem('attachDisk', os.file), stopped, { sha: { [os.path]: 'other' } }];
    expect((await play(steps)).ids).toEqual(['S3']);
  });

  test('sees a machine start with a carried disk that differs (S3)', async () => {
    const steps = [...wholeFailback];
    steps[5] = [onPrem('powerOn'), { ...stopped, target: 'on' }, { sha: { [data.path]: 'other' } }];
    expect((await play(steps)).ids).toEqual(['S3']);
  });

  test('sees an open disk that carries boot signatures after it was written (S4)', async () => {
    const bytes = { changed: { [os.path]: 5 }, signatures: { [os.path]: ['primary partition header'] } };
    const { ids } = await play([
      [onPrem('attachDisk', os.file, 'mover'), opened],
      [inAzure('create', 'snapshots/s1'), opened, bytes],
    ]);
    expect(ids).toEqual(['S4']);
  });

  test('does not mind the old signatures of a disk that nobody has written yet', async () => {
    const bytes = { signatures: { [os.path]: ['primary partition header'] } };
    expect((await play([[onPrem('attachDisk', os.file, 'mover'), opened, bytes]])).ids).toEqual([]);
  });

  test('does not mind a sealed disk on the mover that equals the stopped source', async () => {
    const bytes = { changed: { [os.path]: 5 }, signatures: { [os.path]: ['boot record (55 AA)'] } };
    const { ids } = await play([
      [onPrem('attachDisk', os.file, 'mover'), opened],
      [deallocate, { ...opened, ...stopped }, bytes],
    ]);
    expect(ids).toEqual([]);
  });

  test.each([
    ['was written again after it was found equal', { ...stopped }, { [os.path]: 6 }],
    ['was found equal, when its source runs again', { source: 'running' as const }, { [os.path]: 5 }],
  ])('sees a sealed disk on the mover that %s (S4)', async (_what, source, changed) => {
    const signatures = { [os.path]: ['boot record (55 AA)'] };
    const { ids } = await play([
      [onPrem('attachDisk', os.file, 'mover'), opened],
      [deallocate, { ...opened, ...stopped }, { changed: { [os.path]: 5 }, signatures }],
      [
        inAzure('create', 'snapshots/s1'),
        { ...opened, ...source },
        { changed, signatures, sha: { [os.path]: 'other' } },
      ],
    ]);
    expect(ids).toEqual(['S4']);
  });

  test('judges a source that was started while both sides were hashed by its start, not by the effect before it (S4)', async () => {
    const attached: Scene = { ...opened, ...stopped };
    const started: Scene = { ...opened, source: 'running' };
    let now: { scene: Scene; bytes: Bytes } = { scene: {}, bytes: {} };
    const sealed = { changed: { [os.path]: 5 }, signatures: { [os.path]: ['boot record (55 AA)'] } };
    const evidence: Evidence = {
      ...evidenceOf({}),
      signatures: (path) => evidenceOf(now.bytes).signatures(path),
      changedAtMs: (path) => evidenceOf(now.bytes).changedAtMs(path),
      async sourceSha256() {
        now = { ...now, scene: started };
        return 'what it wrote since';
      },
    };
    const judge = createJudge({ machines: [machine], look: async () => view(now.scene), evidence });
    const seen = () => judge.violations.map((each) => `${each.invariant} ${each.seen}`);
    await judge.begin();
    now = { scene: attached, bytes: {} };
    await judge.judge(onPrem('attachDisk', os.file, 'mover'));
    now = { scene: attached, bytes: sealed };
    await judge.judge(inAzure('revoke', 'snapshots/s1'));
    expect(seen()).toEqual([]);
    await judge.judge(inAzure('start', 'virtualMachines/erp-db'));
    expect(seen()).toEqual([expect.stringMatching(/^S4 .*the source still runs/)]);
  });

  test.each([
    ['between two steps of its seal is judged when it stands still', 3, []],
    ['written to all the time is judged all the same', Number.POSITIVE_INFINITY, ['S4']],
  ])('a disk with boot signatures %s (S4)', async (_what, changes, broken) => {
    let [scene, looks, clock]: [Scene, number, number] = [{}, 0, 0];
    const evidence: Evidence = {
      ...evidenceOf({}),
      signatures: async (path) => (path !== os.path || looks > changes ? [] : ['primary partition header']),
      changedAtMs: async () => looks++,
      nowMs: () => (clock += 500),
    };
    const judge = createJudge({ machines: [machine], look: async () => view(scene), evidence });
    await judge.begin();
    scene = opened;
    await judge.judge(onPrem('attachDisk', os.file, 'mover'));
    expect(judge.violations.map(({ invariant }) => invariant)).toEqual(broken);
  });

  test.each([
    ['also hangs on its machine', { targetDisks: [os], moverDisks: [os] }],
    ['belongs to a machine that is on', { ...stopped, target: 'on' as const, targetDisks: [], moverDisks: [os] }],
  ])('sees an open disk that %s (S4)', async (_what, after) => {
    expect((await play([[onPrem('attachDisk', os.file, 'mover'), after]])).ids).toEqual(['S4']);
  });

  test('sees a second deletion of the same thing (S6)', async () => {
    const gone = inAzure('delete', 'snapshots/s1');
    const { ids } = await play([
      [gone, {}],
      [gone, {}],
    ]);
    expect(ids).toEqual(['S6']);
  });

  test.each([
    ['its source', inAzure('virtualMachines.start', 'virtualMachines/erp-db')],
    ['a disk of its target', onPrem('detachDisk', os.file)],
  ])('sees %s go back after the commit (S6)', async (_what, effect) => {
    const { ids } = await play([...wholeFailback, [effect, { ...stopped, target: 'on' }]], true);
    expect(ids).toEqual(['S6']);
  });

  test('lets a name be deleted again after it was made again', async () => {
    const gone = inAzure('delete', 'snapshots/s1');
    const { ids } = await play([
      [gone, {}],
      [inAzure('create', 'snapshots/s1'), {}],
      [gone, {}],
    ]);
    expect(ids).toEqual([]);
  });
});

describe('The final check', () => {
  const endOf = async (scene: Scene, expect_: 'returned' | 'committed') => {
    const { judge } = await play([[inAzure('other', 'x/y'), scene]], true);
    return (await judge.checkEnd({ expect: expect_ })).map((each) => each.invariant);
  };

  test('accepts a cancelled run that left everything as found', async () => {
    expect(await endOf({}, 'returned')).toEqual([]);
  });

  test.each([
    ['the source left stopped', { source: 'deallocated' as const }, 'S5'],
    ['the target left on', { target: 'on' as const }, 'S5'],
    ['a foreign disk left on the target', { targetDisks: [disk('erp-db/staged')] }, 'S5'],
    ['a snapshot left', { snapshots: ['hw-erp-db-1'] }, 'S11'],
    ['a grant left', { grants: ['erp-db-os'] }, 'S11'],
    ['a disk left on the mover', { moverDisks: [os], targetDisks: [data] }, 'S11'],
  ])('names %s', async (_what, scene, id) => {
    expect(await endOf(scene, 'returned')).toEqual([id]);
  });

  test('names what a commit left of the source', async () => {
    expect(await endOf({ target: 'on', source: 'deallocated' }, 'committed')).toEqual(['S11', 'S11', 'S11', 'S11']);
  });
});

describe('The witness’s door', () => {
  const plan = (look: WitnessPlan['look']): WitnessPlan => ({ machines: [machine], look, evidence: evidenceOf({}) });
  const tell = (url: string, body: object) => fetch(url, { method: 'POST', body: JSON.stringify(body) });

  test('answers an effect only after it has looked, and keeps the order', async () => {
    let looks = 0;
    const witness = await startWitness(
      plan(async () => {
        looks += 1;
        return view();
      }),
    );
    await witness.begin();
    const answers = await Promise.all(['a', 'b', 'c'].map((op) => tell(witness.url, { world: 'azure', op })));
    expect(answers.map((each) => each.status)).toEqual([204, 204, 204]);
    expect(looks).toBe(4);
    expect(witness.effects().map((each) => each.number)).toEqual([1, 2, 3]);
    await witness.close();
  });

  test('reports it when it could not look', async () => {
    const witness = await startWitness(plan(() => Promise.reject(new Error('no answer'))));
    await tell(witness.url, { world: 'azure', op: 'x' });
    expect(witness.violations()).toMatchObject([{ invariant: 'witness', seen: expect.stringMatching(/no answer/) }]);
    await witness.close();
  });
});
