/**
 * `homeward mover reassign <machine> --to <mover>`: another mover of the same site carries a machine that is under way.
 * Rule: what it costs is shown and approved before it is sent; a mover that cannot be it is refused here already, though
 * the run looks for itself.
 */
import type { Command } from 'commander';
import { moverQueue } from '../../model/failback-input.ts';
import type { Inventory } from '../../model/inventory.ts';
import type { MoverPlace } from '../../model/machine.ts';
import type { Message } from '../../model/message.ts';
import { phaseTable } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { confirm } from '../confirm.ts';
import { Problem } from '../problem.ts';
import { describeReassignment } from '../render/confirm.ts';
import { askUnseen } from './approve.ts';
import { addVerb, yesOption } from './messages.ts';
import { type Asked, openRun } from './open-run.ts';

type MoverAt = MoverPlace & { readonly site: string };

export function addMover(program: Command): void {
  const mover = program.command('mover').description('which mover carries a machine');
  addVerb(mover, {
    verb: 'reassign',
    name: 'reassign',
    description: 'let another mover of the same site carry the machine; it copies every disk in full again',
    extend: (command) => yesOption(command).requiredOption('--to <mover>', 'the mover that is to carry it'),
    check: (inventory, machine, { to = '' }) =>
      needSite(inventory, machine, moverIn(inventory, to), inventory.machines[machine]?.target.site),
    approve: approveReassignment,
  });
}

/** The cost is shown; the message names the run that was shown and the mover as the inventory has it. */
async function approveReassignment(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options } = asked;
  const { inventory } = context.loaded;
  const mover = moverIn(inventory, options.to ?? '');
  const view = await openRun(asked);
  const { status } = view;
  const site = status?.target.site ?? inventory.machines[machine]?.target.site;
  needSite(inventory, machine, mover, site);
  if (status) refuseSame(status, mover);
  const said = {
    ...(status && options.run === undefined ? { run: status.run } : {}),
    mover: mover.name,
    path: mover.path,
  };
  // There is nothing to approve of what the run is going to refuse, with its reason, in its record.
  if (status && phaseTable[status.left ?? status.phase].reassign === 'no') return said;
  await refuseUnattended(asked, mover.name);
  const unknown = `Let ${mover.name} carry ${machine}: it copies every disk in full; what that costs is unknown.`;
  if (!status) await askUnseen(asked, unknown, view.silent);
  else await confirm(context.screen, describeReassignment(view, status, mover.name), machine, options.yes === true);
  return said;
}

/** `site`: where the machine's disks lie, where that is known. */
function needSite(inventory: Inventory, machine: string, mover: MoverAt, site: string | undefined): void {
  if (site === undefined || site === mover.site) return;
  throw refusal(`${mover.name} stands at ${mover.site}, the disks of ${machine} lie at ${site}`, inventory, site);
}

function refuseSame(status: Status, mover: MoverPlace): void {
  if ((status.reassignment?.mover ?? status.mover) !== mover.name) return;
  const how = status.reassignment ? 'is on its way to' : 'is carried by';
  throw new Problem(
    'refused',
    `nothing was sent: ${status.machine} ${how} ${mover.name} already`,
    `Look at it: homeward failback status ${status.machine}`,
  );
}

/** The run asks the mover's worker too; where nobody serves its queue, there is nothing to approve of. */
async function refuseUnattended({ link, machine }: Asked, mover: string): Promise<void> {
  const { isUnattended, startCommand } = await import('../workers.ts');
  const queue = moverQueue(mover);
  if (!(await isUnattended(link, queue))) return;
  throw new Problem(
    'unreachable',
    `nothing was sent: no worker of mover ${mover} serves the task queue "${queue}", so it could not carry ${machine}`,
    `Start it on that mover, then say it again: ${startCommand(queue, link.inventory)}`,
  );
}

const refusal = (what: string, inventory: Inventory, site: string): Problem => {
  const there = Object.entries(inventory.movers).flatMap(([name, one]) => (one.site === site ? [name] : []));
  return new Problem('refused', `nothing was sent: ${what}`, `Movers of ${site}: ${there.join(', ') || 'none'}.`);
};

/** Throws Problem `not-found` with the names there are. */
function moverIn({ movers }: Inventory, name: string): MoverAt {
  const known = Object.hasOwn(movers, name) ? movers[name] : undefined;
  if (known) return { name, path: known.vm, site: known.site };
  const names = Object.keys(movers).join(', ');
  throw new Problem('not-found', `no mover is called "${name}" in the inventory`, `Known: ${names || 'none'}.`);
}
