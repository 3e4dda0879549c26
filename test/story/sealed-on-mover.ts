/**
 * What the witness must see (S4) where a test starts the source by hand while its sealed disks still hang on their mover.
 * Rule: excused is that the source runs, and a disk that is, byte for byte, the final recovery point: then all that it lacks
 * was written by the source that the test has started. Nothing else is.
 */
import { azureContentSha256, readAzure } from '../../lab/azure-control.ts';
import type { Run, Scene } from './scene.ts';

const shownDigits = 12;

/** Asked while the final recovery point exists. Answers whether a violation, in the words of `wrongAtEnd`, is such a one. */
export async function sealedAndStarted({ lab }: Scene, { machine }: Run): Promise<(violation: string) => boolean> {
  const { control } = lab.azure;
  const { snapshots } = await readAzure(control);
  const excuses = ['the source still runs'];
  for (const [key, { azureName }] of [['os', machine.disks[0]] as const, ['data-0', machine.disks[1]] as const]) {
    const final = snapshots.filter(({ name }) => name.includes(machine.name) && name.includes(`-${key}-`)).at(-1);
    if (!final?.name.endsWith('-final')) throw new Error(`${machine.name} has no final point of ${key}`);
    const sha256 = await azureContentSha256(control, azureName, final.name);
    excuses.push(`differs from ${azureName} (${sha256.slice(0, shownDigits)} against `);
  }
  return (violation) =>
    /^S4 after .*: \[.+ is open and carries /.test(violation) && excuses.some((words) => violation.includes(words));
}
