/**
 * S001-20: whoever moves a Windows machine into Azure switches VMware Tools off there; before it comes home they are made to
 * start by themselves again. It has to be done in the source, because at home nothing can be run without them.
 * Rule: it tells how the service started before, so that the way back can set it as it was found (S5).
 */
import type { GuestStep } from './arrival-policy.ts';
import type { Policy } from './inventory.ts';
import type { SourceMachine } from './machine.ts';

const enableName = 'enable-vmware-tools';
const restoreName = 'restore-vmware-tools';
const common = { shell: 'powershell', timeoutSeconds: 300, retries: 1 } as const;

export const toolsStep: GuestStep = {
  ...common,
  name: enableName,
  critical: false,
  script: [
    "$ErrorActionPreference = 'Stop'",
    '$tools = Get-Service -Name VMTools -ErrorAction SilentlyContinue',
    "if ($null -eq $tools) { 'VMware Tools are not installed'; exit 3 }",
    '"was: $($tools.StartType)"',
    'Set-Service -Name VMTools -StartupType Automatic',
    '"is: $((Get-Service -Name VMTools).StartType)"',
  ].join('\n'),
};

/** What runs in the source before its stop: the policy's steps, and on Windows this one first. */
export const sourceSteps = (
  { enableTools, beforeStop }: Pick<Policy, 'enableTools' | 'beforeStop'>,
  os: SourceMachine['os'],
): GuestStep[] => [...(enableTools && os?.family === 'windows' ? [toolsStep] : []), ...beforeStop];

/** What a preflight of the source is asked with, so that rights on scripts count only where there are any. */
export const scriptsWish = (
  policy: Pick<Policy, 'enableTools' | 'beforeStop'>,
  os: SourceMachine['os'],
): { readonly scripts?: true } => (sourceSteps(policy, os).length > 0 ? { scripts: true } : {});

/** Names of ours in the record, which no script of a policy may take. */
export const ownSteps: readonly string[] = [enableName, restoreName];

export const isEnablingTools = (step: GuestStep): boolean => step === toolsStep;

/** The words Windows has for a service that does not start by itself. */
const restorable: readonly string[] = ['Manual', 'Disabled'];

/**
 * How the service started before, by what the tries of the script told, each in its turn; undefined when there is nothing
 * to set back. A try sets it to what is not restorable, so a later one may have found what an earlier one had changed.
 */
export const startTypeBefore = (outputs: readonly string[]): string | undefined =>
  outputs.flatMap((output) => /^was: (\w+)\r?$/m.exec(output)?.[1] ?? []).find((type) => restorable.includes(type));

/** The step that sets it back. */
export const toolsRestore = (before: string): GuestStep => ({
  ...common,
  name: restoreName,
  critical: true,
  script: `Set-Service -Name VMTools -StartupType ${before} -ErrorAction Stop`,
});
