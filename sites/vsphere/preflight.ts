/**
 * Asks a vCenter everything that could stop a failback, and answers named checks.
 * Rule: what can be known is answered in one go, so that a person fixes all of it at once; an unreachable vCenter or a
 * refused login is itself an answer, not an error. Changes nothing.
 */
import type { Check } from '../../model/check.ts';
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import { findMachine, findRecorded, type Vcenter } from './inventory.ts';
import { readHost, readShape } from './machine-shape.ts';
import { arrivalChecks } from './preflight-arrival.ts';
import { fitChecks } from './preflight-fit.ts';
import { diskModesCheck, encryptionCheck, hostCheck, sharedBusCheck, vcenterClockCheck } from './preflight-hosts.ts';
import { diskChecks, moverChecks, targetChecks } from './preflight-machines.ts';
import { datastoreChecks, privilegeChecks } from './preflight-surroundings.ts';

/** Reaches the vCenter and signs in. The first check that fails ends the list. */
export async function reach(at: Vcenter, work: Work): Promise<Check[]> {
  const reachable = (wrong?: string, remedy = ''): Check =>
    check({
      id: 'vcenter-reachable',
      requirement: 'S000-7',
      subject: at.site,
      wrong,
      right: 'the vCenter answers',
      remedy,
    });
  const login = (wrong?: string, remedy = ''): Check =>
    check({
      id: 'vcenter-login',
      requirement: 'S001-5',
      subject: at.site,
      wrong,
      right: 'the account can sign in',
      remedy,
    });
  try {
    const { about } = await at.session.content(work);
    const edition = check({
      id: 'vcenter-edition',
      requirement: 'S000-11',
      subject: at.site,
      wrong:
        about?.apiType === 'VirtualCenter'
          ? undefined
          : `${about?.fullName ?? 'the server'} is a single host, not a vCenter`,
      right: about?.fullName ?? 'a vCenter',
      remedy: 'Bring the host under a vCenter and name that one; a free hypervisor takes no changes by API.',
    });
    return [reachable(), login(), edition];
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof Failure) || error.busy) throw error;
    return error.op === 'Login' && error.kind === 'Refused'
      ? [reachable(), login(error.message, error.hint)]
      : [reachable(error.message, error.hint)];
  }
}

export async function preflight(at: Vcenter, request: TargetPreflight, work: Work): Promise<Check[]> {
  const checks = await reach(at, work);
  if (checks.some((one) => one.verdict === 'refuse')) return checks;
  const { path, run } = request;
  const there = await findMachine(at, path, work);
  // Whoever asks during the run means the machine that has its record, also where somebody renamed or moved it.
  const target = run === undefined ? there : ((await findRecorded(at, { path, run }, there, work)) ?? there);
  const mover = await findMachine(at, request.mover, work);
  checks.push(...targetChecks(request, target), ...moverChecks(request, mover, target));
  checks.push(await vcenterClockCheck(at, work));
  if (mover) checks.push(hostCheck('mover', mover, await readHost(at, mover, work)));
  if (!target) return checks;
  const [shape, host] = [await readShape(at, target, work), await readHost(at, target, work)];
  checks.push(...diskChecks(request, target, mover), diskModesCheck(target), sharedBusCheck(target));
  checks.push(encryptionCheck(target, shape), hostCheck('target', target, host));
  checks.push(...fitChecks({ request, target, shape, host }));
  checks.push(...(await arrivalChecks(at, request, { target, host }, work)));
  if (mover) {
    const stores = await datastoreChecks(at, request, { target, mover, growthBytes: shape.growthBytes }, work);
    checks.push(...stores.checks, ...(await privilegeChecks(at, request, [target, mover], stores.datastores, work)));
  }
  return checks;
}
