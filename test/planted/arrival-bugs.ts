/** Planted bugs in what happens on arrival: scripts, the proof apart from everybody, who may commit. */
import { bug, type PlantedBug } from './bug.ts';

export const arrivalBugs: readonly PlantedBug[] = [
  bug(
    'S7',
    'model/commit-rules.ts',
    'one.trim().toLowerCase() === other.trim().toLowerCase()',
    'one === other',
    'test/model/commit-rules.test.ts',
    'however the name is written',
  ),
  bug(
    'S3',
    'sites/vsphere/proving.ts',
    "const forgetful = 'independent_nonpersistent';",
    "const forgetful = 'independent_persistent';",
    'test/vsphere/proving.test.ts',
    'the boot apart writes nothing that stays',
  ),
  bug(
    'S3',
    'sites/vsphere/power.ts',
    '  if (!hasProof(machine)) return;',
    '  if (hasProof(machine)) return;',
    'test/vsphere/proving.test.ts',
    'never started for its users',
  ),
  bug(
    'S8',
    'sites/azure/run-command.ts',
    'if (found === undefined) await begin(azure, request, name, work);',
    'if (found === undefined || found.name === name) await begin(azure, request, name, work);',
    'test/azure/run-command.test.ts',
    'does not run the script again',
  ),
  bug(
    'S8',
    'sites/vsphere/guest-wrapper.ts',
    'if mkdir "$d" 2>/dev/null; then',
    'if mkdir -p "$d" 2>/dev/null; then',
    'test/vsphere/guest-scripts.test.ts',
    'runs once, however often it is asked for',
  ),
  bug(
    'S11',
    'sites/azure/run-command.ts',
    'if (name === undefined || tags?.[tagRun] !== run) continue;',
    'if (name === undefined) continue;',
    'test/azure/run-command.test.ts',
    'nothing of anybody else',
  ),
  bug(
    'S5',
    'model/tools-step.ts',
    "const restorable: readonly string[] = ['Manual', 'Disabled'];",
    "const restorable: readonly string[] = ['Manual'];",
    'test/azure/run-command.test.ts',
    'the way back sets them as found',
  ),
  bug(
    'L4',
    'model/arrival-faults.ts',
    'if (commit.approved && probes.length === 0)',
    'if (commit.approved && probes.length < 0)',
    'test/config/arrival.test.ts',
  ),
];
