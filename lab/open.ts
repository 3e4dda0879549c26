/**
 * `npm run lab`: keeps a lab open until Ctrl-C (or SIGTERM), and says where everything is and what to try.
 * Rule: with `--json` standard output carries one line of JSON and nothing else; the end leaves nothing running.
 */
import { leave } from '../client/leaving.ts';
import { readOptions } from '../client/options.ts';
import { exitCodes, Problem } from '../client/problem.ts';
import { report } from '../client/screen.ts';
import { endWithReader } from '../client/streams.ts';
import { onceStarterIsGone } from '../setup/parents.mjs';
import type { Lab } from './lab.ts';
import { openUnless } from './opening.ts';
import { pointAtLab } from './own-temporal.ts';
import { findPrograms } from './programs.ts';
import { type LabWorkers, startWorkers } from './workers.ts';

const usage = `npm run lab -- [options]
  --json              one line of JSON with every address on standard output; stays until SIGTERM
  --small             small disks without a Linux that boots; opens sooner
  --machines <count>  how many machines run in Azure (1; at most 50)
  --movers <count>    how many movers stand on-prem (1; at most 20); the first one runs, the others are for you to start
  --lost-site         the vCenter they came from is gone: they come home to a new machine in another, empty one
  --no-workers        without Homeward's control worker and mover: start your own
  --keep              leaves the lab's folder behind at the end, for looking into`;

const options = {
  json: { type: 'boolean', default: false },
  small: { type: 'boolean', default: false },
  machines: { type: 'string', default: '1' },
  movers: { type: 'string', default: '1' },
  keep: { type: 'boolean', default: false },
  'lost-site': { type: 'boolean', default: false },
  'no-workers': { type: 'boolean', default: false },
} as const;
const program = 'npm run lab --';

function facts(lab: Lab): object {
  const { temporal, azure, vcenter } = lab;
  return {
    temporal: { address: temporal.address, ui: temporal.ui, namespace: temporal.namespace },
    azure: {
      arm: azure.arm,
      authority: azure.authority,
      subscriptionId: azure.subscriptionId,
      tenantId: azure.tenantId,
      clientId: azure.clientId,
      clientSecretFile: azure.clientSecretFile,
      resourceGroup: azure.resourceGroup,
      caFile: lab.caFile,
      blobHostSuffix: azure.blobHostSuffix,
      proxy: azure.proxy,
    },
    vcenter: {
      url: vcenter.url,
      user: vcenter.user,
      passwordFile: vcenter.passwordFile,
      caFile: lab.caFile,
      datacenter: vcenter.datacenter,
    },
    faults: { azure: azure.control, vcenter: vcenter.control },
    audit: azure.audit,
    config: lab.config,
    machines: lab.machines.map((machine) => machine.name),
  };
}

function invitation(lab: Lab, workers: boolean, lostSite: boolean, temporalProgram: string): string {
  const { temporal, azure, vcenter } = lab;
  const name = lab.machines[0]?.name ?? 'erp-db';
  const own = `TEMPORAL_ADDRESS=${temporal.address}`;
  const run = (what: string) => `${own} npm run ${what} -- --config ${lab.config}`;
  const cli = run('-s homeward');
  return `
The lab is open. Everything is on this computer, in ${lab.folder}

  Temporal UI       ${temporal.ui}
  Temporal          ${temporal.address}, namespace ${temporal.namespace}
  Azure (ARM)       ${azure.arm}
  vCenter           ${vcenter.url}${
    lostSite
      ? `, the new one, empty; the one the machines came from is lost:
                    site vcenter-lost, where nobody answers`
      : ''
  }
  fault doors       ${azure.control} (Azure), ${vcenter.control} (vCenter)
  machines          ${lab.machines.map((machine) => machine.name).join(', ')}
  Homeward workers  ${workers ? 'running: control and mover-1' : 'none, as asked for'}
  temporal CLI      TEMPORAL_ADDRESS=${temporal.address} ${temporalProgram}

Try, in another terminal:

  ${cli} machines
  ${cli} failback start ${name}
  ${cli} failback status ${name}
  ${cli} failback complete ${name}
  ${cli} failback commit ${name}
  ${run('mover')} --id mover-1     (again, after a kill; control likewise)

Ctrl-C ends it and leaves nothing behind.
`;
}

/** Resolves with the first signal that asks us to end, or when the one who could send it is gone. */
const asked = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    onceStarterIsGone(resolve);
  });

/** What one computer carries; beyond it the opening would take minutes and gigabytes before it failed. */
const most = {
  machines: { count: 50, why: 'each has two disks on either side and a guest that writes' },
  movers: { count: 20, why: 'each is a virtual machine that may hold every disk' },
} as const;

function countIn(values: Readonly<Record<'machines' | 'movers', string>>, option: 'machines' | 'movers'): number {
  const count = Number(values[option]);
  const todo = `Read: ${program} --help`;
  if (!(Number.isInteger(count) && count >= 1))
    throw new Problem('usage', `--${option} ${values[option]} is no number of ${option}`, todo);
  const { count: limit, why } = most[option];
  if (count <= limit) return count;
  throw new Problem(
    'usage',
    `--${option} ${count} is more than the ${limit} a lab on one computer carries: ${why}`,
    todo,
  );
}

async function main(): Promise<void> {
  endWithReader();
  const values = readOptions({ program, text: usage }, options);
  if (!values) return;
  const [machines, movers] = [countIn(values, 'machines'), countIn(values, 'movers')];
  const asking = new AbortController();
  const end = asked().then(() => asking.abort());
  const say = (line: string): void => void (values.json || process.stderr.write(`${line}\n`));
  say('Opening the lab …');
  const size = values.small ? {} : { osTree: 'full' as const };
  const lab = await openUnless(
    asking.signal,
    { ...size, machines, movers, lostSite: values['lost-site'], keep: values.keep },
    values.json,
  );
  if (!lab) return say('Closing the lab …');
  if (!values.small && !lab.linux.boots) say(lab.linux.why);
  let workers: LabWorkers | undefined;
  try {
    // What the operator's own shell says of Temporal must never lead a lab's workers to a real server.
    pointAtLab(lab.temporal);
    if (!values['no-workers']) workers = await startWorkers(lab);
    const programs = await findPrograms();
    process.stdout.write(
      values.json
        ? `${JSON.stringify(facts(lab))}\n`
        : invitation(lab, workers !== undefined, values['lost-site'], programs.temporal),
    );
    await end;
    say('Closing the lab …');
  } finally {
    await workers?.stop();
    await lab.stop();
  }
}

main().then(
  () => leave(exitCodes.ok),
  (error: unknown) => {
    if (error instanceof Problem) return leave(report(error, false));
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return leave(exitCodes.unexpected);
  },
);
