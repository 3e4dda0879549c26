/** What a machine in Azure is made of, for a machine that is to be made like it elsewhere, against the lab's simulator. */
import { type AzureLab, failureOf, openAzureLab, path, quiet } from './azure-lab.ts';

let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab({ deniedActions: [] });
});
afterAll(() => lab.close());

test('S000-24 size, memory, firmware, system and NICs of the source are told for a machine like it', async () => {
  for (const [key, nic] of lab.world.nics)
    lab.world.nics.set(key, { ...nic, mac: '00-0D-3A-1B-C7-21', subnet: 'back' });
  expect(await lab.source.observeShape(path, quiet())).toEqual({
    ...{ size: 'Standard_D2s_v5', cpus: 2, memoryMiB: 8192, firmware: 'efi', system: 'linux' },
    nics: [{ name: 'erp-db-nic', mac: '00:0d:3a:1b:c7:21', subnet: 'back', ip: '10.0.0.4' }],
  });
});

test('what Azure does not let us ask is absent, and a machine that is gone is refused', async () => {
  lab.world.settings.deniedActions = ['Microsoft.Compute/skus/read'];
  const { cpus, memoryMiB, size } = await lab.source.observeShape(path, quiet());
  expect([cpus, memoryMiB, size]).toEqual([undefined, undefined, 'Standard_D2s_v5']);
  lab.world.settings.deniedActions = [];
  const failure = await failureOf(lab.source.observeShape('rg-failover/nobody', quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', message: 'rg-failover/nobody does not exist in Azure' });
});
