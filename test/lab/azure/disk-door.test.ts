/** The lab's hand on a disk's bytes: the digest that the witness asks for again and again. */
import { createHash } from 'node:crypto';
import { diskDoor } from '../../../lab/azure/disk-door.ts';
import { type AzureLab, group, openAzureLab } from '../../azure/azure-lab.ts';

const name = 'erp-db-data';
let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab();
});
afterAll(() => lab.close());

const asked = () => diskDoor(lab.world, 'GET content-sha256', name, null, undefined);
async function content(): Promise<object> {
  const { data } = lab.world.disk(group, name);
  const bytes = await data.read(0, data.sizeBytes);
  return { sha256: createHash('sha256').update(bytes).digest('hex') };
}

test('the digest of a disk is that of its bytes, asked again, after a write, after a clearing and at another size', async () => {
  const { data } = lab.world.disk(group, name);
  const changes: readonly (() => Promise<void>)[] = [
    () => Promise.resolve(),
    () => data.write(4096, Buffer.alloc(512, 7)),
    () => Promise.resolve(),
    () => data.discard(4096, 512),
    () => data.resize(data.sizeBytes + 512),
  ];
  const seen = new Set<string>();
  for (const change of changes) {
    await change();
    const told = await asked();
    expect(told).toEqual(await content());
    seen.add(JSON.stringify(told));
  }
  // Empty, written, empty again, and longer.
  expect(seen.size).toBe(3);
});

test('a digest taken while the guest writes is not kept', async () => {
  const { data } = lab.world.disk(group, name);
  const digest = asked();
  await data.write(0, Buffer.alloc(512, 9));
  await digest;
  expect(await asked()).toEqual(await content());
});
