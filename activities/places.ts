/**
 * The checks whether the parts of Homeward itself are in place: a control worker that answers, and an inventory in which it
 * knows the machine as the run does.
 * Rule: the worker's own inventory is what counts, because its sites and secrets are read from there.
 */
import type { Check } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { MachineAddress } from '../model/machine.ts';

const sameFile =
  'Give the control workers and the command line the same homeward.yaml, start the workers again, then ask again.';

/** A machine as this worker's own inventory has it, with the movers that it names. */
export interface KnownMachine {
  readonly source: MachineAddress;
  readonly target: MachineAddress;
  readonly movers: readonly string[];
}

const words = ({ site, path }: MachineAddress): string => `${site} ${path}`;

export function placeChecks(version: string, known: KnownMachine | undefined, input: FailbackInput): Check[] {
  return [
    {
      id: 'control-worker',
      requirement: 'S001-6',
      verdict: 'pass',
      subject: 'control',
      seen: `a control worker of version ${version} answered`,
    },
    machineCheck(known, input),
  ];
}

/** S000-3: a machine that the control worker does not know, or knows elsewhere, is not touched. */
export function machineCheck(known: KnownMachine | undefined, input: FailbackInput): Check {
  const about = { id: 'machine-known', requirement: 'S000-3', subject: input.machine } as const;
  const differing = known
    ? [
        ...(words(known.source) === words(input.source) ? [] : [`its source is ${words(known.source)} there`]),
        ...(words(known.target) === words(input.target) ? [] : [`its target is ${words(known.target)} there`]),
        ...(known.movers.includes(input.mover.name) ? [] : [`there is no mover ${input.mover.name} there`]),
      ]
    : ['it is not in there'];
  if (differing.length === 0)
    return {
      ...about,
      verdict: 'pass',
      seen: 'the control worker’s inventory has its source, its target and its mover as this run does',
    };
  return {
    ...about,
    verdict: 'refuse',
    seen: `the control worker’s inventory does not have it as this run does: ${differing.join('; ')}`,
    remedy: sameFile,
  };
}
