/** Whether the parts of Homeward are in place, and what a mover's worker sees of its mounts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observeMount } from '../../activities/mover-worker.ts';
import { type KnownMachine, placeChecks } from '../../activities/places.ts';
import { parseInventory } from '../../config/load.ts';
import { type FailbackInput, failbackInput } from '../../model/failback-input.ts';
import { rightText } from '../config/inventory-text.ts';
import { refuseDirect } from '../disk/host-edge.ts';

const input = failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db') as FailbackInput;
const known: KnownMachine = { source: input.source, target: input.target, movers: ['m1', 'm2'] };

test('S000-3 S001-6 a control worker that answers, and knows the machine as the run does, passes', () => {
  expect(placeChecks('0.4.2', known, input)).toMatchObject([
    {
      id: 'control-worker',
      requirement: 'S001-6',
      verdict: 'pass',
      seen: 'a control worker of version 0.4.2 answered',
    },
    {
      ...{ id: 'machine-known', requirement: 'S000-3', verdict: 'pass' },
      seen: 'the control worker’s inventory has its source, its target and its mover as this run does',
    },
  ]);
});

test('S000-3 a machine that is not in the control worker’s inventory, or is another one there, is refused', () => {
  const elsewhere = { ...known, target: { ...known.target, path: '/DC0/vm/other' }, movers: ['m2'] };
  const cases = [
    [undefined, 'it is not in there'],
    [{ ...known, source: { ...known.source, path: 'rg/other' } }, 'its source is azure-west rg/other there'],
    [elsewhere, 'its target is home /DC0/vm/other there; there is no mover m1 there'],
  ] as const;
  for (const [there, words] of cases)
    expect(placeChecks('0.4.2', there, input)[1]).toMatchObject({
      verdict: 'refuse',
      seen: `the control worker’s inventory does not have it as this run does: ${words}`,
      remedy: expect.stringContaining('the same homeward.yaml'),
    });
});

test('a datastore’s folder that can be written is seen so, one that is not there is seen with the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-mount-'));
  try {
    expect(await observeMount(['ds-1', folder])).toEqual({ datastore: 'ds-1', folder });
    expect(await observeMount(['ds-1', join(folder, 'gone')])).toMatchObject({ problem: 'ENOENT' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('S3 a datastore’s folder is asked for direct I/O by a file that lies in it; an empty one cannot be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-mount-'));
  const seen = async () => (await observeMount(['ds-1', folder])).cached;
  const end = refuseDirect();
  try {
    expect(await seen()).toBeUndefined();
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'erp-db'));
    await writeFile(join(folder, 'erp-db', 'erp-db.vmdk'), '# Disk DescriptorFile');
    expect(await seen()).toBe(true);
    end();
    expect(await seen()).toBeUndefined();
  } finally {
    end();
    await rm(folder, { recursive: true });
  }
});
