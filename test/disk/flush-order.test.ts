/**
 * S3, S4: the order of writes and flushes that a loss of power would show: what a record says is on the medium is there
 * before the record is, and the record before what builds upon it.
 * Rule: seen at the file calls themselves; one lane and one window, so that nothing else is on its way meanwhile.
 */
import { basename } from 'node:path';
import { type HostCall, watchHost } from './host-edge.ts';
import { data, fastFolder, ImagePoint, mib, patternImage, Workbench, zero } from './workbench.ts';

const size = 6 * mib + 512;

/** The calls of a full copy, a delta and a seal that change the target or the journal, in order. */
async function callsOfAStory(): Promise<{ call: HostCall; durable: boolean }[]> {
  const bench = new Workbench(patternImage(2, size), fastFolder());
  const calls: { call: HostCall; durable: boolean }[] = [];
  const restore = await watchHost(async (call) => {
    const durable = call.durable();
    const answer = await call.all();
    const ours = [bench.path, bench.statePath('journal')].includes(call.path);
    if (ours && ['write', 'punch', 'append', 'flush'].includes(call.name)) calls.push({ call, durable });
    return answer;
  });
  try {
    const image = patternImage(1, size);
    await bench.transfer(new ImagePoint(image), 'p0', { inFlight: 1 });
    image.fill(0, 3 * mib, 4 * mib);
    const changes = [data(2 * mib, 4096), zero(3 * mib, mib), data(5 * mib, 512)];
    await bench.transfer(new ImagePoint(image, changes), 'p1', { base: 'p0', inFlight: 1 });
    await bench.seal(new ImagePoint(image), 'p1');
  } finally {
    restore();
    bench.remove();
  }
  return calls;
}

test('L2 the digests of leaves are on the medium before a round counts, so that a power failure costs no whole blocks', async () => {
  const bench = new Workbench(patternImage(2, size), fastFolder());
  const late: string[] = [];
  let dirty = false;
  const restore = await watchHost(async (call) => {
    if (call.path === bench.statePath('leaves')) dirty = call.name === 'write' || (dirty && call.name !== 'flush');
    // A checkpoint holds the round that counts.
    if (call.name === 'rename' && call.path.includes('checkpoint') && dirty) late.push(`${call.name} ${call.path}`);
    return call.all();
  });
  try {
    const image = patternImage(1, size);
    await bench.transfer(new ImagePoint(image), 'p0', { inFlight: 1 });
    await bench.transfer(new ImagePoint(image, [data(2 * mib, 4096)]), 'p1', { base: 'p0', inFlight: 1 });
  } finally {
    restore();
    bench.remove();
  }
  expect(dirty).toBe(false);
  expect(late).toEqual([]);
});

const nameOf = (call: HostCall): string => `${call.name} ${basename(call.path)}`;

test('S3 S4 nothing is recorded before it is flushed, and nothing is written before what allows it is', async () => {
  const calls = await callsOfAStory();
  const dirty = new Set<string>();
  const early: string[] = [];
  for (const [index, { call, durable }] of calls.entries()) {
    if (call.name === 'flush') dirty.delete(call.path);
    else {
      // Writes to one file may follow each other; a change of file means that the first one must be on the medium.
      for (const path of dirty) if (path !== call.path) early.push(`${index}: ${nameOf(call)} over ${basename(path)}`);
      if (!durable) dirty.add(call.path);
    }
  }
  expect(calls.filter(({ call }) => call.name === 'append').length).toBeGreaterThan(12);
  expect(calls.some(({ call }) => call.name === 'punch')).toBe(true);
  expect(early).toEqual([]);
  expect([...dirty]).toEqual([]);
});
