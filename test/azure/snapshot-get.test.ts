/** What a GET on a leased snapshot asks of its lease. Rule: only the lease is a model; the rest is the product. */
import { blobLimits } from '../../sites/azure/blob-port.ts';
import { OneContent } from '../../sites/azure/one-content.ts';
import { getFromSnapshot } from '../../sites/azure/snapshot-get.ts';

test('L5 a read that was told to stop before it began asks for no grant: its refusal would be heard by nobody, and end the mover', async () => {
  let asked = 0;
  const ask = (): Promise<never> => new Promise(() => void asked++);
  const lease = { name: 'a-snapshot', sas: ask, waitsFor: () => undefined, renew: ask, close: async () => undefined };
  const transport = { limits: blobLimits, get: ask, close: async () => undefined };
  const what = { op: 'read a range', subject: 'a-snapshot' };
  const told = AbortSignal.abort(new Error('told to stop'));
  const open = { transport, lease, content: new OneContent() };
  const read = getFromSnapshot(open, { what, holdsMemory: true }, told, async () => undefined);
  await expect(read).rejects.toThrow('told to stop');
  expect(asked).toBe(0);
});
