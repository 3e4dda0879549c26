/**
 * Sizes of machines and the region's quotas on them, as the usage and the SKU lists tell them.
 * Rule: shapes and names are the service's; a few sizes stand for the thousands there are.
 */
import type { World } from './world.ts';

interface Size {
  readonly family: string;
  readonly vCpus: number;
  readonly memoryGb: number;
}

/** Family, vCPUs and memory of the sizes that the lab offers. */
const sizes: Readonly<Record<string, Size>> = {
  Standard_D2s_v5: { family: 'standardDSv5Family', vCpus: 2, memoryGb: 8 },
  Standard_D4s_v5: { family: 'standardDSv5Family', vCpus: 4, memoryGb: 16 },
  Standard_E8s_v5: { family: 'standardESv5Family', vCpus: 8, memoryGb: 64 },
};

/** As `resourceSkus.list` answers. */
export const skusOf = (location: string): object[] =>
  Object.entries(sizes).map(([name, { family, vCpus, memoryGb }]) => ({
    ...{ resourceType: 'virtualMachines', name, family, tier: 'Standard', locations: [location] },
    capabilities: [
      { name: 'vCPUs', value: String(vCpus) },
      { name: 'MemoryGB', value: String(memoryGb) },
    ],
    restrictions: [],
  }));

/** Quotas of the location: what is in use, and the limit of the settings. */
export function usagesOf(world: World): object[] {
  const { machines, disks, snapshots, settings } = world;
  const usage = (value: string, localizedValue: string, currentValue: number, limit: number) => ({
    ...{ unit: 'Count', currentValue, limit },
    name: { value, localizedValue },
  });
  const used = (family?: string): number =>
    [...machines.values()]
      .flatMap(({ vmSize }) => sizes[vmSize] ?? [])
      .filter((size) => family === undefined || size.family === family)
      .reduce((sum, { vCpus }) => sum + vCpus, 0);
  const families = [...new Set(Object.values(sizes).map(({ family }) => family))];
  return [
    usage('virtualMachines', 'Virtual Machines', machines.size, 25_000),
    usage('PremiumDiskCount', 'Premium Storage Managed Disks', disks.size, 50_000),
    usage('StandardSnapshotCount', 'Standard Storage Snapshots', snapshots.size, 75_000),
    usage('cores', 'Total Regional vCPUs', used(), settings.vCpuLimit),
    ...families.map((family) => usage(family, `${family} vCPUs`, used(family), settings.vCpuLimit)),
  ];
}
