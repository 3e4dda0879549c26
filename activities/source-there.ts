/**
 * Before the way back stops or deletes anything, or takes its disks off the machine at home: is there a source to go back to?
 * Rule (S5): our recovery points, and what came home, may be the last copy of a machine whose source is gone. Whoever is about
 * to take them looks here and now, in each attempt. Not there: Refused with op `source-gone`; there, but not as the run found
 * it: with op `source-changed`. Either names what still is. Changes nothing.
 */
import { refused, sourceGone } from '../model/failure.ts';
import type { SourceMachine } from '../model/machine.ts';
import type { Whereabouts, Work } from '../sites/source.ts';
import type { Sites } from './preflight.ts';
import { type RemainsInput, remainsRequest } from './remains.ts';

/** What the look stands before; `stays`: what at home is left as it is, by name. */
export interface WayBack extends RemainsInput {
  readonly step: 'stop' | 'take-off' | 'delete';
  readonly stays: readonly string[];
}

const wasDone = {
  stop: 'stopped',
  'take-off': 'taken off the machine at home',
  delete: 'deleted',
} as const;

const putBack = 'Look in Azure what became of the source. If it was moved, put it back and resolve with retry.';
const mayBeLast = 'If it is gone, the machine at home may be the last copy: resolve with skip, and it';

/** Where the machine is not there. */
const whereGone = {
  stop: `${putBack} ${mayBeLast} is left as it is; so is what the later steps would delete, when you leave them out too.`,
  'take-off': `${putBack} ${mayBeLast} keeps its disks, on or off.`,
  delete: `${putBack} If it is gone, what is named here may be the last copy: resolve with skip, which deletes nothing, and make a disk of each of the newest snapshots in Azure. What stays is yours to delete.`,
} as const;

const whereChanged =
  'Put it back in Azure as it was, and resolve with retry. If it shall stay so, resolve with skip: this step is left out then, and what it would have taken is yours to look at and to delete.';

/** Whatever its power: it is there, itself, with all its disks; to delete what it does not need, also where it was moved. */
export async function assertSourceThere(sites: Sites, input: WayBack, work: Work): Promise<void> {
  const { found, step } = input;
  const { site, path } = input.failback.source;
  const source = sites.source(site);
  const seen = await source.observeWhereabouts({ path, identity: found.identity, disks: found.disks }, work);
  const gone = missing(path, found, seen);
  const why = gone ?? changed(path, found, seen, step);
  if (why === undefined) return;
  // Not its NICs: the way back does not hang on the network.
  const remains = [...(await source.observeRemains({ ...remainsRequest(input), nics: [] }, work)), ...input.stays];
  throw refused({
    op: gone === undefined ? 'source-changed' : sourceGone,
    subject: path,
    message: `${why}; nothing was ${wasDone[step]}. Still there: ${remains.join(', ') || 'nothing that is known'}`,
    hint: gone === undefined ? whereChanged : whereGone[step],
  });
}

/** Why there is no such machine any more; undefined when there is. */
function missing(path: string, found: SourceMachine, { machine }: Whereabouts): string | undefined {
  if (machine.power === 'absent') return `${path} does not exist any more`;
  if (machine.beingDeleted) return `${path} is being deleted`;
  return machine.identity === found.identity
    ? undefined
    : `${path} is another machine than the one this run began with`;
}

/** What of the machine is not as the run found it; undefined when all is there. */
function changed(
  path: string,
  found: SourceMachine,
  { movedTo, detached, lost }: Whereabouts,
  step: WayBack['step'],
): string | undefined {
  const gone = found.disks.find(({ disk }) => lost.includes(disk));
  if (gone) return `disk ${gone.disk} (${gone.name}) of ${path} does not exist any more`;
  const taken = found.disks.find(({ disk }) => detached.includes(disk));
  if (taken) return `disk ${taken.disk} (${taken.name}) is not attached to ${path} any more, but still exists`;
  // Where it is now nothing starts it again.
  if (movedTo !== undefined && step !== 'delete') return `${path} was moved in Azure and is now ${movedTo}`;
  return undefined;
}
