/** What `--discard` takes for the run whose disks are given up. */
import { runId } from '../../client/command/parse.ts';

test('S5 a run is given up by its whole id, or as `unknown` where its record names none, as the preflight calls it; nothing else is taken', () => {
  const id = '01a21bd2-2614-7ce8-a0d6-5bf75a91d742';
  expect([runId(id), runId('unknown')]).toEqual([id, 'unknown']);
  for (const other of ['', 'erp-db', '01a21bd2', `${id}x`, 'UNKNOWN']) expect(() => runId(other)).toThrow('whole id');
});
