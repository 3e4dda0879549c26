/**
 * Before the way back stops or deletes anything: is there a source to go back to?
 * Rule (S5): our recovery points, and the disks that the run made at home, may be the last copy of a machine whose source is
 * gone. Whoever is about to delete them, or to stop the machine that runs from them, looks here and now, in each attempt. Not
 * there: Refused with op `source-gone`, naming what still is. Changes nothing.
 */
import { refused, sourceGone } from '../model/failure.ts';
import type { SourceMachine, SourceState } from '../model/machine.ts';
import type { Work } from '../sites/source.ts';
import type { Sites } from './preflight.ts';
import { type RemainsInput, remainsRequest } from './remains.ts';

/** What the look stands before; `stays`: what at home is left as it is, by name. */
export interface WayBack extends RemainsInput {
  readonly step: keyof typeof hints;
  readonly stays: readonly string[];
}

const putBack =
  'Look in Azure what became of the source. If it was moved, or a disk taken off it, put it back and resolve with retry.';

const hints = {
  stop: `${putBack} If it is gone, the machine at home may be the last copy: resolve with skip, and it is left as it is; so is what the later steps would delete, when you leave them out too.`,
  delete: `${putBack} If it is gone, what is named here may be the last copy: resolve with skip, which deletes nothing, and make a disk of each of the newest snapshots in Azure. What stays is yours to delete.`,
} as const;

/** Whatever its power: it is there, itself, with all its disks. */
export async function assertSourceThere(sites: Sites, input: WayBack, work: Work): Promise<void> {
  const { site, path } = input.failback.source;
  const source = sites.source(site);
  const why = missing(path, input.found, await source.observeMachine(path, work));
  if (why === undefined) return;
  const remains = [...(await source.observeRemains(remainsRequest(input), work)), ...input.stays];
  throw refused({
    op: sourceGone,
    subject: path,
    message: `${why}; nothing was ${input.step === 'stop' ? 'stopped' : 'deleted'}. Still there: ${remains.join(', ') || 'nothing that is known'}`,
    hint: hints[input.step],
  });
}

/** What is not as the run found it; undefined when all is there. */
function missing(path: string, found: SourceMachine, seen: SourceState): string | undefined {
  if (seen.power === 'absent') return `${path} does not exist any more`;
  if (seen.beingDeleted) return `${path} is being deleted`;
  if (seen.identity !== found.identity) return `${path} is another machine than the one this run began with`;
  const gone = found.disks.find(({ identity }) => !seen.disks.some((disk) => disk.identity === identity));
  return gone && `disk ${gone.disk} (${gone.name}) is not attached to ${path} any more`;
}
