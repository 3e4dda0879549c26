/**
 * Scripts in the guest of the target, by VMware's guest operations: a program is started, and asked for until it has ended.
 * Rule: a script is run once for each key (guest-wrapper.ts), so that starting its program again only waits for its end.
 * Credentials go into the call and nowhere else (S13); an output that cannot be fetched is no failure of the script.
 * Never in a machine that does not carry the record of the run (S1).
 */
import type { AgentState, GuestScript, StepRun } from '../../model/arrival.ts';
import { timedOutCode } from '../../model/arrival.ts';
import { Failure, lacksGuestLogin, refused, transient } from '../../model/failure.ts';
import type { GuestPlaceRequest, GuestScriptRequest, Work } from '../source.ts';
import type { TargetPower } from '../target.ts';
import { faultBehind } from './failure.ts';
import {
  cleanProgram,
  type GuestProgram,
  lookEndsWithin,
  lookProgram,
  lostCode,
  onceProgram,
  placeOf,
} from './guest-wrapper.ts';
import { type Machine, machineMissing, type Vcenter } from './inventory.ts';
import { pause } from './pause.ts';
import { needOurs } from './power.ts';
import { readObject } from './properties.ts';
import { findTarget } from './run-machine.ts';
import { required } from './session.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface GuestLogin {
  readonly user: string;
  readonly password: string;
}

export interface GuestParts {
  readonly at: Vcenter;
  /** The login of a machine's guest, as this worker's inventory has it; undefined when it has none. */
  readonly login: (machine: string) => GuestLogin | undefined;
  /** GET of a file of the guest, from the address that vCenter names. */
  readonly fetch: (url: string, work: Work) => Promise<string>;
}

/** Windows takes no longer command lines. */
const longestArguments = 32_000;
const lookEveryMs = 500;
/** A guest that restarts forgets its processes; their ends are found by starting the program again. */
const startsAtMost = 3;

export async function observeAgent(
  { at }: GuestParts,
  request: Omit<GuestPlaceRequest, 'shell'>,
  work: Work,
): Promise<AgentState> {
  const { path } = request;
  const machine = await present(at, request, work);
  const { agent } = machine.guest;
  if (agent === 'not-installed')
    throw refused({
      op: 'guest-agent',
      subject: path,
      message: `VMware Tools are not installed in ${machine.name}, so no script can run in it`,
      hint: 'Install VMware Tools in the guest and resolve with retry, or take the step out of the policy and start a new run.',
    });
  return { ready: machine.power === 'running' && agent === 'running', seen: `power ${machine.power}, Tools ${agent}` };
}

export async function ensureScriptRun(parts: GuestParts, request: GuestScriptRequest, work: Work): Promise<StepRun> {
  const guest = await openGuest(parts, request, work);
  const startedAt = new Date().toISOString();
  const exitCode = await runProgram(guest, onceProgram(request.run, request), work);
  if (exitCode === lostCode && !(await isThere(guest, placeOf(request.run, request, 'code'), work)))
    throw refused({
      op: 'guest-script',
      subject: request.path,
      message: `the guest restarted while ${request.key} ran in it; how far the script got is unknown`,
      hint: 'Look inside the machine. Resolve with retry to run the script once more.',
    });
  const endedAt = new Date().toISOString();
  return {
    exitCode,
    ...(await fetchTail(parts, guest, placeOf(request.run, request, 'tail'), work)),
    startedAt,
    endedAt,
  };
}

/** Answers the exit code of a script that is run anew each time. */
export async function runLook(
  parts: GuestParts,
  request: Omit<GuestScriptRequest, 'key'>,
  work: Work,
): Promise<number> {
  const guest = await openGuest(parts, request, work);
  return await runProgram(guest, lookProgram(request), work, lookEndsWithin(request.timeoutSeconds) * 1000);
}

/** Answers, in words, what stays: a guest that cannot be asked keeps its folder. */
export async function releaseScripts(
  parts: GuestParts,
  request: GuestPlaceRequest & Pick<GuestScript, 'shell'>,
  work: Work,
): Promise<string[]> {
  try {
    const guest = await openGuest(parts, request, work);
    await runProgram(guest, cleanProgram(request.run, request.shell), work);
    return [];
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'Transient' || error.kind === 'Expired') throw error;
    return [`the folder homeward-${request.run} in the guest of ${request.path} (${error.message})`];
  }
}

interface OpenGuest {
  readonly at: Vcenter;
  readonly path: string;
  readonly vm: Ref;
  readonly auth: Vim<'NamePasswordAuthentication'>;
  readonly processes: Ref;
  readonly files: Ref;
}

async function openGuest(parts: GuestParts, request: GuestPlaceRequest, work: Work): Promise<OpenGuest> {
  const { at, login } = parts;
  const known = login(request.machine);
  if (known === undefined)
    throw refused({
      op: lacksGuestLogin,
      subject: request.machine,
      message: `this worker's inventory has no login for the guest of ${request.machine}`,
      hint: 'Write machines.<name>.guest: {user: …, password: {env: …}} in homeward.yaml, restart the control worker, then resolve with retry.',
    });
  const machine = await present(at, request, work);
  const manager = required((await at.session.content(work)).guestOperationsManager, 'guest operations');
  const { values } = await readObject(at.session, manager, ['processManager', 'fileManager'], work, request.path);
  return {
    at,
    path: request.path,
    vm: machine.ref,
    auth: {
      $type: 'NamePasswordAuthentication',
      interactiveSession: false,
      username: known.user,
      password: known.password,
    },
    processes: required(values.get('processManager') as Ref | undefined, 'process manager'),
    files: required(values.get('fileManager') as Ref | undefined, 'guest file manager'),
  };
}

async function present(at: Vcenter, request: TargetPower, work: Work): Promise<Machine> {
  const machine = await findTarget(at, request, work);
  if (!machine) throw machineMissing(request.path);
  needOurs(machine, request, 'guest-script');
  return machine;
}

/** `withinMs`: a guest that does not end it by its own clock until then is told as having taken too long. */
async function runProgram(
  guest: OpenGuest,
  program: GuestProgram,
  work: Work,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<number> {
  const deadline = performance.now() + withinMs;
  const { at, vm, auth, processes, path } = guest;
  if (program.arguments.length > longestArguments)
    throw refused({
      op: 'guest-script',
      subject: path,
      message: `the script is too long for the guest (${program.arguments.length} of ${longestArguments} characters)`,
      hint: 'Put the script into the machine and let the step only call it.',
    });
  for (let starts = 1; starts <= startsAtMost; starts++) {
    const pid = await at.session.call('StartProgramInGuest', processes, { vm, auth, spec: program }, work, {
      subject: path,
    });
    const exitCode = await endOf(guest, pid, deadline, work);
    if (exitCode !== undefined) return exitCode;
  }
  throw transient({
    op: 'guest-script',
    subject: path,
    message: `the guest of ${path} forgot ${startsAtMost} times what it was running`,
    hint: 'The guest restarts again and again, or its Tools do: look at its console.',
  });
}

/** The exit code of a program; undefined when the guest knows it no more. */
async function endOf(
  { at, vm, auth, processes, path }: OpenGuest,
  pid: number,
  deadline: number,
  work: Work,
): Promise<number | undefined> {
  for (;;) {
    const [seen] = await at.session.call('ListProcessesInGuest', processes, { vm, auth, pids: [pid] }, work, {
      subject: path,
    });
    if (seen === undefined) return undefined;
    if (seen.endTime !== undefined) return needCode(path, seen.exitCode);
    if (performance.now() > deadline) return timedOutCode;
    work.report(`program ${pid} runs in the guest of ${path}`);
    await pause(lookEveryMs, work.signal);
  }
}

function needCode(path: string, code: number | undefined): number {
  if (code !== undefined) return code;
  throw refused({
    op: 'guest-script',
    subject: path,
    message: `the guest of ${path} does not tell how the program ended`,
    hint: 'Look inside the machine how far the script got. Resolve with retry to run it once more.',
  });
}

/** Whether the guest has the file; nothing is fetched. */
async function isThere({ at, vm, auth, files, path }: OpenGuest, guestFilePath: string, work: Work): Promise<boolean> {
  try {
    await at.session.call('InitiateFileTransferFromGuest', files, { vm, auth, guestFilePath }, work, { subject: path });
    return true;
  } catch (error) {
    if (faultBehind(error)?.type === 'FileNotFound') return false;
    throw error;
  }
}

async function fetchTail(
  parts: GuestParts,
  { at, vm, auth, files, path }: OpenGuest,
  guestFilePath: string,
  work: Work,
): Promise<Pick<StepRun, 'output' | 'outputProblem'>> {
  try {
    const file = await at.session.call('InitiateFileTransferFromGuest', files, { vm, auth, guestFilePath }, work, {
      subject: path,
    });
    return { output: await parts.fetch(file.url ?? '', work) };
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { output: '', outputProblem: `its output could not be fetched: ${error.message}` };
  }
}
