/**
 * Cancel at every phase, and one step of the way back fails: what waiting cures is tried again without a word, what it does
 * not cure calls an operator and goes on when resolved; the end is the source as it was found and nothing of ours (S5, S11).
 * Rule: the fault was met by a call of that step, or the test has shown nothing. HOMEWARD_FAULTS=all plays the whole table.
 */
import { readdir } from 'node:fs/promises';
import { readAzure } from '../../lab/azure-control.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import type { Phase } from '../../model/phase.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault } from './thorough.ts';
import {
  type CancelPoint,
  cancelPoints,
  failOnce,
  type Kind,
  kinds,
  policyOf,
  standIn,
  triedBefore,
  type UndoStep,
  unmet,
} from './undo-points.ts';

type Case = readonly [Phase, string, Kind, CancelPoint, readonly UndoStep[]];
const one = (point: CancelPoint, kind: Kind, steps: readonly UndoStep[]): Case => [
  point.phase,
  steps.join(' and '),
  kind,
  point,
  steps,
];
const table = cancelPoints.flatMap((point) =>
  kinds.flatMap((kind) => point.undone.map((step) => one(point, kind, [step]))),
);
const pointIn = (phase: Phase): CancelPoint[] => cancelPoints.filter((point) => point.phase === phase);
/**
 * Every step refused once, in the phase that has the most of them and on the way to another point; every step a while in vain,
 * with half sealed disks.
 */
const sampled = [
  ...pointIn('AwaitingCommit').map((point) => one(point, 'Refused', point.undone)),
  ...pointIn('ChangingPoint').map((point) => one(point, 'Refused', point.undone)),
  ...pointIn('Sealing').map((point) => one(point, 'Transient', point.undone)),
];
const cases = everyFault ? table : sampled;
/** A lab holds this many machines with ease. */
const machinesALab = 8;
const labs = Array.from({ length: Math.ceil(cases.length / machinesALab) }, (_, index) =>
  cases.slice(index * machinesALab, (index + 1) * machinesALab),
);

/** What stands in both worlds after the way back, beside what the witness saw. `held`: sealed disks could not be unplugged first. */
async function expectAsFound(scene: Scene, run: Run, held: boolean): Promise<void> {
  const wrong = await run.wrongAtEnd('returned');
  expect(wrong.filter((each) => !(held && /^S4 .*the source still runs/.test(each)))).toEqual([]);
  const azure = await readAzure(scene.lab.azure.control);
  expect(azure.vms.find((vm) => vm.name === run.machine.source.vm)?.power).toBe('running');
  expect(azure.snapshots.filter(({ name }) => name.includes(run.machine.name))).toEqual([]);
  const vms = await readVcenter(scene.lab.vcenter.control);
  expect(vms.find((vm) => vm.name === run.machine.target.vm)?.power).toBe('off');
  expect(await readdir(scene.lab.moverState)).not.toContain(run.machine.name);
}

describe.each(labs.map((cases, index) => [index + 1, cases] as const))('lab %i', (_number, own) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(own.length);
  }, 180_000);
  afterEach(() => scene.forgetRules());
  afterAll(() => scene?.close(), 60_000);

  test.each(own)(
    'S5 S11 L6 cancelled in %s, the undo of "%s" fails once as %s: the source ends as it was found',
    async (phase, _steps, kind, point, steps) => {
      const run = await scene.begin({ sync: point.sync, roundEvery: 3_600 }, policyOf(point));
      const letGo = await standIn(scene, run, point);
      for (const step of steps) await failOnce(scene, run, phase, step, kind);
      expect(await run.say('cancel', point.loss ? { acceptLoss: true } : {})).toEqual({ accepted: true });
      await letGo();
      for (const step of kind === 'Refused' ? steps : []) await expectCalled(run, step);
      const { record } = await run.until('ReturnedToSource', 'NeedsOperator');
      expect(await unmet(scene)).toEqual([]);
      const keys = record.map(({ key }) => key);
      expect(keys.filter((key) => key === 'operator-called')).toHaveLength(kind === 'Refused' ? steps.length : 0);
      expect(keys).toEqual(expect.arrayContaining(point.undone.map((step) => `undo/${step}`)));
      expect(keys.filter((key) => key.startsWith('skipped/'))).toEqual([]);
      await run.until('ReturnedToSource');
      const held = steps.some((step) => triedBefore(phase, step, kind));
      expect(keys.includes('sealed-disks-held')).toBe(held);
      await expectAsFound(scene, run, held);
    },
    180_000,
  );
});

/** A person is called for this very step, with what to do, and answers that it is mended. */
async function expectCalled(run: Run, step: UndoStep): Promise<void> {
  const { status } = await run.untilView(
    `called for ${step}`,
    (view) => view.status?.phase === 'NeedsOperator' && view.status.trouble?.step === `undo: ${step}`,
  );
  expect(status).toMatchObject({
    left: 'Undoing',
    trouble: { kind: 'Refused', hint: expect.stringMatching(/^\S.{15}/) },
  });
  expect(await run.say('resolve', { action: 'undo' })).toEqual({
    refused: expect.stringContaining('cannot be taken back'),
  });
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
}
