/**
 * The check on the agent inside the source's guest. Azure's agent may take minutes to report after a boot, so for as long as
 * the policy allows, its silence is waited for and not refused (S000-22).
 * Rule: looks only, and goes by Azure's own clock: the times it compares are Azure's.
 */
import type { Disk, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import { sameId } from './arm-id.ts';
import { passed, seenAs } from './check-outcome.ts';
import { lastTaken, powerSeen } from './machine.ts';

const id = 'source-guest-agent';
const requirement = 'S000-22';

export interface AgentLook {
  readonly withinSeconds: number;
  /** Azure's clock, epoch milliseconds. */
  readonly now: number;
}

export function agentCheck(
  path: string,
  vm: VirtualMachine,
  disks: readonly Disk[],
  { withinSeconds, now }: AgentLook,
): Check {
  if (withinSeconds === 0) return passed(id, path, 'the policy does not ask for it', requirement);
  if (powerSeen(vm) !== 'PowerState/running')
    return passed(id, path, 'the machine does not run, so it is not asked for', requirement);
  const agent = vm.instanceView?.vmAgent;
  const status = agent?.statuses?.at(-1);
  if (status?.code?.toLowerCase() === 'provisioningstate/succeeded')
    return passed(id, path, `the agent reports, version ${agent?.vmAgentVersion ?? 'unknown'}`, requirement);
  const seen = `the Azure VM agent does not report (${status?.displayStatus ?? 'Azure knows of none'})`;
  const since = lastStart(vm, disks);
  const until = since === undefined ? now : since + withinSeconds * 1000;
  if (since === undefined || now >= until)
    return seenAs(id, 'refuse', path, {
      requirement,
      seen: `${seen}, ${since === undefined ? 'and Azure does not tell since when the machine runs' : `${Math.round((now - since) / 60_000)} minutes after its boot`}`,
      remedy:
        'Look at the agent inside the guest (walinuxagent, WindowsAzureGuestAgent) and start it. A machine whose guest needs no scripts comes home without it too: guestAgentWithinSeconds: 0 in its policy, then start again.',
    });
  const wait = { for: 'the Azure VM agent to report', since: iso(since), until: iso(until) };
  return {
    ...seenAs(id, 'wait', path, {
      requirement,
      seen: `${seen}; it booted at ${wait.since} and may take until ${wait.until}`,
      remedy: 'Nothing needs to be done: a run asks again by itself until then, and refuses after it.',
    }),
    wait,
  };
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** When the running machine took its OS disk, which is its boot; data disks may have been attached since. */
function lastStart(vm: VirtualMachine, disks: readonly Disk[]): number | undefined {
  const os = disks.find(({ id: each }) => sameId(each, vm.storageProfile?.osDisk?.managedDisk?.id));
  return os && lastTaken(vm, os)?.getTime();
}
