/**
 * The evidence at the end of `npm start`: one line a claim, each looked up in the worlds.
 * Rule: a claim that could not be looked up is shown as such and does not count as true.
 */

import type { View } from '../client/view.ts';
import { firstBroken } from '../model/evidence.ts';
import { readAzure, readGuests } from './azure-control.ts';
import { checkTargetFileSystem, countRecords, remainsInAzure } from './inspect.ts';
import type { Lab } from './lab.ts';
import type { LabMachine } from './machines.ts';
import { readVcenter } from './vcenter-control.ts';

interface Claim {
  readonly holds: boolean;
  readonly text: string;
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

type Say = (text?: string) => void;

/** Prints every claim; true when all hold. */
function show(claims: readonly Claim[], say: Say): boolean {
  say();
  say('Evidence, each line looked up in the worlds:');
  for (const { holds, text } of claims) say(`  ${holds ? '✓' : '✗'} ${text}`);
  return claims.every((claim) => claim.holds);
}

/** After a commit. True when every claim holds. */
export async function showEvidence(lab: Lab, machine: LabMachine, end: View, say: Say): Promise<boolean> {
  const claims = [
    ...moved(end),
    ...equality(lab, machine),
    await fileSystem(lab, machine),
    await records(lab, machine),
    await azure(lab, machine),
    await invariants(lab, machine, 'committed'),
    chain(end),
  ];
  return show(claims, say);
}

/** After a person said no at a gate. True when the machine serves in Azure as it was found, and nothing of ours is left. */
export async function showReturn(lab: Lab, machine: LabMachine, say: Say): Promise<boolean> {
  const whole = show(
    [
      await servesAgain(lab, machine),
      await offAtHome(lab, machine),
      await nothingOfOurs(lab, machine),
      await invariants(lab, machine, 'returned'),
    ],
    say,
  );
  say();
  if (whole) say(`Cancelled at your word: ${machine.name} serves in Azure again, as before. Exit code 0.`);
  else say(`Cancelled at your word, but not as it must be: see the lines with ✗. Exit code 1.`);
  return whole;
}

/** How long the guest is given to write a record again after its machine was started. */
const writesWithinMs = 20_000;

async function servesAgain(lab: Lab, machine: LabMachine): Promise<Claim> {
  const written = async (): Promise<number> => (await readGuests(lab.azure.control)).get(machine.source.vm) ?? 0;
  const before = await written();
  let now = before;
  for (const end = Date.now() + writesWithinMs; now === before && Date.now() < end; now = await written())
    await new Promise((resolve) => setTimeout(resolve, 200));
  const power = (await readAzure(lab.azure.control)).vms.find((vm) => vm.name === machine.source.vm)?.power ?? 'gone';
  return {
    holds: power === 'running' && now > before,
    text: `${machine.source.vm} is ${power} in Azure and ${now > before ? 'writes' : 'does NOT write'}`,
  };
}

async function offAtHome(lab: Lab, machine: LabMachine): Promise<Claim> {
  const power = (await readVcenter(lab.vcenter.control)).find((vm) => vm.name === machine.target.vm)?.power ?? 'gone';
  return { holds: power === 'off', text: `${machine.target.vm} at home is powered ${power}` };
}

/** The machine, its disks and its network interface are meant to be there. */
async function nothingOfOurs(lab: Lab, machine: LabMachine): Promise<Claim> {
  const left = (await remainsInAzure(lab, machine)).filter((one) => /^(snapshot|active grant)/.test(one));
  return { holds: left.length === 0, text: `of ours in Azure now: ${left.join(', ') || 'nothing'}` };
}

function moved(end: View): Claim[] {
  const rounds = end.status?.rounds;
  if (!rounds) return [{ holds: false, text: 'the run does not say what it moved' }];
  const outage = end.status?.outage;
  const seconds = outage?.endedAt ? (Date.parse(outage.endedAt) - Date.parse(outage.startedAt)) / 1000 : Number.NaN;
  return [
    {
      holds: rounds.done > 0,
      text: `${rounds.done === 1 ? '1 round' : `${rounds.done} rounds`}, ${mebibytes(rounds.copiedBytes)} moved, ${mebibytes(rounds.changedBytes)} changed`,
    },
    { holds: Number.isFinite(seconds), text: `outage ${seconds.toFixed(1)} s, from the stop to the guest's answer` },
  ];
}

/** The witness hashed both sides itself, between the last write and the start. */
function equality(lab: Lab, machine: LabMachine): Claim[] {
  const seen = lab.witness.comparisons().filter((one) => one.machine === machine.name);
  if (seen.length === 0) return [{ holds: false, text: 'nobody compared the disks' }];
  return seen.map(({ file, source, target }) => ({
    holds: source === target,
    text: `${file} equals its Azure disk: sha256 ${target.slice(0, 16)}… on both sides`,
  }));
}

async function fileSystem(lab: Lab, machine: LabMachine): Promise<Claim> {
  const check = await checkTargetFileSystem(lab, machine);
  if (!check.ran) return { holds: false, text: `file system not checked: ${check.why}` };
  const [summary = ''] = check.words.split('\n').slice(-1);
  return { holds: check.clean, text: `e2fsck -fn on the OS disk: ${check.clean ? 'clean' : 'NOT clean'} (${summary})` };
}

async function records(lab: Lab, machine: LabMachine): Promise<Claim> {
  const { acknowledged, found, lost } = await countRecords(lab, machine);
  return {
    holds: lost.length === 0 && acknowledged > 0 && found > 0,
    text: `${acknowledged} writes acknowledged on both sides, ${lost.length} lost: at home are the ${found} that no later write has replaced`,
  };
}

async function azure(lab: Lab, machine: LabMachine): Promise<Claim> {
  const remains = await remainsInAzure(lab, machine);
  return {
    holds: remains.length === 0,
    text: `in Azure now: ${remains.join(', ') || 'nothing of the machine, nothing of ours'}`,
  };
}

async function invariants(lab: Lab, machine: LabMachine, expect: 'committed' | 'returned'): Promise<Claim> {
  await lab.witness.checkEnd({ expect, machine: machine.name });
  const broken = lab.witness.violations();
  const text = broken.map((one) => `${one.invariant} after ${one.effect}: ${one.seen}`).join('; ');
  return {
    holds: broken.length === 0,
    text: `${lab.witness.effects().length} effects witnessed, ${text || 'no promise broken after any of them'}`,
  };
}

function chain(end: View): Claim {
  const record = end.status?.record ?? [];
  const broken = firstBroken(record);
  const text = broken
    ? `the record is broken at entry ${broken.seq}`
    : `the record of ${record.length} entries is whole`;
  return { holds: record.length > 0 && !broken, text };
}
