/**
 * Where a run is taken back, and what can go wrong on its way back: for each phase a slow world that holds the run inside it,
 * and for each step of the undo a call of that step that fails once.
 * Rule: a fault that no call has met shows nothing, so `unmet` names those; what is slowed down goes on once the cancel is said.
 */
import { knock } from '../../lab/control-door.ts';
import { moverName } from '../../lab/vcenter.ts';
import type { Phase } from '../../model/phase.ts';
import type { Run, Scene, World } from './scene.ts';

/** Longer than it takes to say a cancel, on a busy machine too; its end is not waited for. */
const slowMs = 40_000;

interface Met {
  readonly world: World;
  /** A rule without what it does. */
  readonly rule: object;
}

const azure = (operation: string, resource: string, skip = 0): Met => ({
  world: 'azure',
  rule: { operation, resource, skip },
});
const vcenter = (method: string, objectName: string, skip = 0): Met => ({
  world: 'vcenter',
  rule: { method, objectName, skip },
});

export interface CancelPoint {
  readonly phase: Phase;
  readonly sync: 'before' | 'during';
  /** The call that is slow; absent where the run stands by itself. */
  readonly slow?: (run: Run['machine']) => Met;
  readonly undone: readonly UndoStep[];
  /** It wants the explicit loss flag. */
  readonly loss?: true;
  /** Reached by a person who wants the application-consistent point instead of the latest. */
  readonly another?: true;
}

export const kinds = ['Transient', 'Refused'] as const;
export type Kind = (typeof kinds)[number];

/** The steps that change a world, newest first as the undo takes them. */
export const undoSteps = ['start the target', 'stop the source', 'recovery points', 'open target disks'] as const;
export type UndoStep = (typeof undoSteps)[number];

const disksAndPoints: readonly UndoStep[] = ['recovery points', 'open target disks'];
const andSource: readonly UndoStep[] = ['stop the source', ...disksAndPoints];

export const cancelPoints: readonly CancelPoint[] = [
  {
    phase: 'Seeding',
    sync: 'before',
    slow: ({ name }) => azure('blob.getRange', name, 2),
    undone: disksAndPoints,
  },
  { phase: 'Syncing', sync: 'before', undone: disksAndPoints },
  {
    phase: 'StoppingSource',
    sync: 'before',
    // The stop takes effect, and nobody is told of it before the cancel.
    slow: () => azure('operations.get', ''),
    undone: andSource,
  },
  { phase: 'FinalSync', sync: 'during', slow: ({ name }) => azure('blob.getRange', name, 2), undone: andSource },
  {
    phase: 'Sealing',
    sync: 'before',
    // The first MiB is withheld until then, so nothing but a seal reads it.
    slow: () => ({
      world: 'azure',
      rule: { operation: 'blob.getRange', resource: '-final', range: 'bytes=0-', count: 20 },
    }),
    undone: andSource,
  },
  {
    phase: 'StartingTarget',
    sync: 'before',
    slow: ({ target }) => ({
      ...vcenter('PowerOnVM_Task', target.vm),
      rule: { method: 'PowerOnVM_Task', where: 'task' },
    }),
    undone: undoSteps,
    loss: true,
  },
  { phase: 'AwaitingCommit', sync: 'before', undone: undoSteps, loss: true },
  {
    phase: 'ChangingPoint',
    sync: 'before',
    // The reading of the older point, whose disks are off the machine at home by then: nothing more can be lost there.
    slow: ({ name }) => azure('blob.getRange', `${name}-data_`),
    undone: andSource,
    another: true,
  },
];

const failing = {
  azure: {
    Transient: { action: { status: 503, code: 'ServerBusy', retryAfter: 'none' } },
    Refused: { action: { status: 403, code: 'AuthorizationFailed', message: 'no right' } },
  },
  vcenter: { Transient: { fault: 'HostCommunication' }, Refused: { fault: 'NoPermission' } },
} as const;

/** A call that each step cannot do without, at whichever machine it finds the disks. */
function callOf(step: UndoStep, { source, target, name }: Run['machine'], phase: Phase): Met {
  const returned = phase === 'StartingTarget' || phase === 'AwaitingCommit';
  const calls: Readonly<Record<UndoStep, Met>> = {
    // The machine is barred from a late start before it goes down.
    'start the target': vcenter('ReconfigVM_Task', target.vm),
    'stop the source': azure('virtualMachines.start', source.vm),
    'recovery points': azure('snapshots.delete', name),
    'open target disks': returned ? vcenter('ReconfigVM_Task', target.vm, 1) : vcenter('ReconfigVM_Task', moverName),
  };
  return calls[step];
}

/**
 * Disks that are or were sealed are taken off the mover before the source starts; refused there, the later step does it, and
 * calls a person.
 */
export const triedBefore = (phase: Phase, step: UndoStep, kind: Kind): boolean =>
  (phase === 'Sealing' || phase === 'ChangingPoint') && step === 'open target disks' && kind === 'Refused';

/** Lets the step's next call fail once. */
export async function failOnce(scene: Scene, run: Run, phase: Phase, step: UndoStep, kind: Kind): Promise<void> {
  const { world, rule } = callOf(step, run.machine, phase);
  const count = triedBefore(phase, step, kind) ? 2 : 1;
  await scene.fault(world, { ...rule, count, ...failing[world][kind] });
}

/** Faults that were set and met by no call. */
export async function unmet(scene: Scene): Promise<object[]> {
  const rules = await Promise.all(
    (['azure', 'vcenter'] as const).map((world) => knock(`${scene.lab[world].control}/rules`)),
  );
  return (rules.flat() as { hits: number }[]).filter(({ hits }) => hits === 0);
}

/** Brings the run into the phase and holds it there. Answers how to let the slow call go on. */
export async function standIn(scene: Scene, run: Run, point: CancelPoint): Promise<() => Promise<void>> {
  const { phase, slow, another } = point;
  const met = slow?.(run.machine);
  const goOn = async (): Promise<void> => (met ? await scene.forgetOldestRule(met.world) : undefined);
  const arm = async (): Promise<void> => {
    if (!met) return;
    const wait = met.world === 'azure' ? { action: { delayMs: slowMs } } : { delayMs: slowMs };
    await scene.fault(met.world, { ...met.rule, count: 1, ...wait });
  };
  if (phase === 'Seeding') await arm();
  else {
    await run.until('Syncing', 'AwaitingCutover');
    if (another) await atHomeWithTheLatest(scene, run);
    await arm();
    if (another) await run.say('changePoint', { point: 'application-consistent', acceptLoss: true });
    else if (phase !== 'Syncing') await run.say('completeFailover');
  }
  await run.until(phase);
  if (met) await scene.untilMet(met.world);
  return goOn;
}

async function atHomeWithTheLatest(scene: Scene, { machine, untilView, say, until }: Run): Promise<void> {
  await untilView('with another point', ({ status }) => status?.applicationPoints?.length === 1);
  await say('completeFailover');
  await until('AwaitingCommit');
  scene.lab.witness.olderChosen(machine.name);
}

/** What a run needs of its policy to get there. */
export const policyOf = ({ another }: CancelPoint) => (another ? { applicationPointEverySeconds: 3_600 } : {});
