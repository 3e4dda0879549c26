/**
 * The lab's hand on the Azure simulator: its state for the witness and for the evidence.
 * Rule: everything read is checked by shape; nothing here goes over Azure's own API.
 */
import { z } from 'zod';
import { knock } from './control-door.ts';
import type { AzureView } from './witness/view.ts';

const state = z.looseObject({
  vms: z.array(
    z.looseObject({
      name: z.string(),
      power: z.enum(['starting', 'running', 'stopping', 'stopped', 'deallocating', 'deallocated']),
      disks: z.array(z.string()),
    }),
  ),
  disks: z.array(z.looseObject({ name: z.string(), activeSas: z.boolean().default(false) })),
  nics: z.array(z.looseObject({ name: z.string() })),
  snapshots: z.array(
    z.looseObject({
      name: z.string(),
      tags: z.record(z.string(), z.string()).default({}),
      activeSas: z.boolean().default(false),
    }),
  ),
  restorePointCollections: z
    .array(
      z.looseObject({
        name: z.string(),
        tags: z.record(z.string(), z.string()),
        points: z.array(
          z.looseObject({
            name: z.string(),
            newestRecord: z.number().optional(),
            disks: z.array(z.looseObject({ name: z.string(), source: z.string(), activeSas: z.boolean() })),
          }),
        ),
      }),
    )
    .default([]),
});

export async function readAzure(control: string): Promise<AzureView> {
  const seen = state.parse(await knock(`${control}/state`));
  return {
    vms: seen.vms,
    disks: seen.disks.map((disk) => disk.name),
    nics: seen.nics.map((nic) => nic.name),
    snapshots: seen.snapshots,
    restorePointCollections: seen.restorePointCollections,
    grants: [...seen.disks, ...seen.snapshots, ...diskPointsOf(seen.restorePointCollections)]
      .filter((each) => each.activeSas)
      .map((each) => each.name),
  };
}

const diskPointsOf = (collections: z.infer<typeof state>['restorePointCollections']) =>
  collections.flatMap(({ points }) => points.flatMap(({ disks }) => disks));

/** SHA-256 of the content of a managed disk, hex: live, or at a moment (name of a snapshot or disk restore point). */
export async function azureContentSha256(control: string, disk: string, moment?: string): Promise<string> {
  const at = moment === undefined ? '' : `?snapshot=${encodeURIComponent(moment)}`;
  const said = await knock(`${control}/disks/${encodeURIComponent(disk)}/content-sha256${at}`);
  return z.looseObject({ sha256: z.string() }).parse(said).sha256;
}

/** Records acknowledged by each running machine's guest since it booted. */
export async function readGuests(control: string): Promise<Map<string, number>> {
  const seen = z.looseObject({
    vms: z.array(z.looseObject({ name: z.string(), guest: z.looseObject({ written: z.number() }).optional() })),
  });
  const { vms } = seen.parse(await knock(`${control}/state`));
  return new Map(vms.map((vm) => [vm.name, vm.guest?.written ?? 0]));
}
