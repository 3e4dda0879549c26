/**
 * Asks Azure whether the way home is clear: login, reach, the machine, its disks, rights and quotas.
 * Rule: looks only, changes nothing. An Azure that is too busy has said nothing: that stays an error. Without a login, or without an answer from Azure, the other questions are not asked:
 * their answers would only repeat the first.
 */
import type { VirtualMachine } from '@azure/arm-compute';
import { type Check, sourceRunning } from '../../model/check.ts';
import { type ClockSeen, clockCheck, skewMs } from '../../model/clock-check.ts';
import { Failure } from '../../model/failure.ts';
import type { SourcePreflight, Work } from '../source.ts';
import { parsePath } from './arm-id.ts';
import { together } from './call.ts';
import { passed, refusedBy, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { findElsewhere } from './elsewhere.ts';
import { diskPlaces, nicIds, powerOf, powerSeen, readVm } from './machine.ts';
import { applicationPointChecks } from './preflight-application-points.ts';
import { diskChecks } from './preflight-disks.ts';
import { agentCheck } from './preflight-guest.ts';
import { locksCheck } from './preflight-locks.ts';
import { returnQuotaCheck } from './preflight-quota.ts';
import { type GroupNeeds, missingActions, neededIn, type Permission, readPermissions } from './rights.ts';

export async function preflight(azure: AzureClients, request: SourcePreflight, work: Work): Promise<Check[]> {
  const { path } = request;
  const login = await asCheck('azure-login', azure.site, work, async () => {
    await azure.login(work);
    return passed('azure-login', azure.site, `signed in to ${azure.site}`);
  });
  if (login.verdict !== 'pass') return [login];
  let vm: VirtualMachine | undefined;
  const askedAt = Date.now();
  let clock: ClockSeen = { theirs: '', askedAt, answeredAt: askedAt };
  const reach = await asCheck('azure-reachable', azure.site, work, async () => {
    vm = await readVm(azure, path, work, (theirs = '') => {
      clock = { theirs, askedAt, answeredAt: Date.now() };
    });
    return passed('azure-reachable', azure.site, 'Azure Resource Manager answers');
  });
  if (reach.verdict !== 'pass') return [login, reach];
  const first = [login, reach, clockCheck('azure-clock', azure.site, clock)];
  const { applicationPoints } = request;
  const wishes = { applicationPoints: applicationPoints !== undefined, scripts: request.scripts === true };
  const rights = await rightsChecks(azure, path, vm, wishes, work);
  if (vm === undefined) return [...first, await missingCheck(azure, path, work), ...rights];
  const now = Date.now() + (skewMs(clock) || 0);
  const { checks, disks } = await diskChecks(azure, path, vm, now, work);
  const agent = agentCheck(path, vm, disks, { withinSeconds: request.guestAgentWithinSeconds, now });
  const quota = await returnQuotaCheck(azure, vm, work);
  const points = applicationPoints ? await applicationPointChecks(azure, path, vm, applicationPoints, work) : [];
  return [...first, ...machineChecks(path, vm), agent, ...checks, ...points, ...rights, quota];
}

/** Turns what the world says into a check; a stop, a fault of ours, and a world too busy to say anything stay errors. */
async function asCheck(id: string, subject: string, work: Work, see: () => Promise<Check>): Promise<Check> {
  try {
    return await see();
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof Failure) || error.kind === 'Defect' || error.busy) throw error;
    return refusedBy(id, subject, error);
  }
}

function machineChecks(path: string, vm: VirtualMachine): Check[] {
  const { resourceGroup } = parsePath(path);
  const seen = powerSeen(vm);
  const power = powerOf(seen);
  const security = vm.securityProfile?.securityType;
  return [
    passed('source-found', path, `${path} exists in ${vm.location}`, 'S000-16'),
    passed('source-resource-group', path, `it is in resource group ${resourceGroup}`, 'S000-15'),
    power === 'running' && seen === 'PowerState/running'
      ? passed(sourceRunning, path, 'it runs')
      : seenAs(sourceRunning, 'warn', path, {
          seen: `it is ${seen}`,
          remedy: 'A failback may start from a stopped machine; check that this is the one that serves.',
        }),
    security === undefined || security === 'Standard'
      ? passed('source-security-type', path, 'standard security')
      : seenAs('source-security-type', security === 'TrustedLaunch' ? 'warn' : 'refuse', path, {
          seen: `its security type is ${security}; the virtual TPM’s state cannot leave Azure`,
          remedy:
            'Have the recovery keys of every disk that is unlocked by the TPM ready, or convert the machine in Azure.',
        }),
  ];
}

/** Where a machine went that is not where the inventory says: another resource group, or nowhere (S000-15, S000-16). */
async function missingCheck(azure: AzureClients, path: string, work: Work): Promise<Check> {
  const { vm } = parsePath(path);
  return asCheck('source-found', path, work, async () => {
    const moved = await findElsewhere(azure, ({ name }) => name?.toLowerCase() === vm.toLowerCase(), work);
    if (moved === undefined)
      return seenAs('source-found', 'refuse', path, {
        requirement: 'S000-16',
        seen: `${path} does not exist in Azure`,
        remedy:
          'It was deleted: there is nothing to bring home. Correct the path in the inventory if it is another machine.',
      });
    return seenAs('source-resource-group', 'refuse', path, {
      requirement: 'S000-15',
      seen: `${vm} is not in the resource group of the inventory; a machine of this name is ${moved}`,
      remedy:
        'If it was moved, write its new resource group into the inventory after checking that it is the same machine.',
    });
  });
}

/** For each resource group: the machine's, and those of its disks and NICs. */
async function rightsChecks(
  azure: AzureClients,
  path: string,
  vm: VirtualMachine | undefined,
  wishes: { readonly applicationPoints: boolean; readonly scripts: boolean },
  work: Work,
): Promise<Check[]> {
  const disks = vm === undefined ? [] : diskPlaces(vm).flatMap(({ id }) => id ?? []);
  const nics = vm === undefined ? [] : nicIds(vm);
  const needs = neededIn({ machineGroup: parsePath(path).resourceGroup, disks, nics, ...wishes });
  const ours = [...(vm?.id === undefined ? [] : [vm.id]), ...disks, ...nics];
  const inGroup = async (each: GroupNeeds): Promise<Check[]> => [
    ...(await rightsIn(azure, each, work)),
    await locksCheck(azure, each.resourceGroup, ours, work),
  ];
  return (await together(needs.map(inGroup))).flat();
}

/** What the run needs on its way, and what only the deletion after the commit needs: a run that cannot end so is told now. */
async function rightsIn(azure: AzureClients, needs: GroupNeeds, work: Work): Promise<Check[]> {
  const { resourceGroup, onTheWay, atCommit } = needs;
  let granted: Permission[] = [];
  const asked = await asCheck('azure-permissions', resourceGroup, work, async () => {
    granted = await readPermissions(azure, resourceGroup, work);
    return rightsCheck('azure-permissions', resourceGroup, missingActions(granted, onTheWay));
  });
  // Where nobody could be asked, asking for more would only repeat it.
  if (granted.length === 0 && asked.verdict !== 'pass') return [asked];
  const later = missingActions(granted, atCommit);
  return [asked, rightsCheck('azure-permissions-commit', resourceGroup, later, ' for the deletion after the commit')];
}

function rightsCheck(id: string, resourceGroup: string, missing: readonly string[], what = ''): Check {
  if (missing.length === 0) return passed(id, resourceGroup, `all needed rights${what} are granted`);
  return seenAs(id, 'refuse', resourceGroup, {
    seen: `missing on ${resourceGroup}${what}: ${missing.join(', ')}`,
    remedy: `Give Homeward’s identity a role with these actions on resource group ${resourceGroup}, in the Azure portal under Access control.`,
  });
}
