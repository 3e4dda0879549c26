/** What a preflight says of the policy `reread`, and when it says nothing. */
import { type Check, withoutStart } from '../../model/check.ts';
import type { DiskPair } from '../../model/machine.ts';
import { rereadCheck } from '../../model/reread-check.ts';

const disk = (sizeBytes: number) => ({ source: { sizeBytes } as DiskPair['source'] });
const disks = [disk(300 * 2 ** 30), disk(100 * 2 ** 30)];
const said = (policy: object, pairs = disks): Check[] =>
  rereadCheck(
    {
      policy: { reread: true, sync: 'before', scrubEverySeconds: 3_600, ...policy },
      target: { path: '/DC0/vm/erp-db' },
    },
    pairs,
  );

test('R7 S3 a policy that reads everything again inside the outage is warned of, with how much that is and how long it takes', () => {
  expect(said({})).toEqual([
    expect.objectContaining({ id: 'reread-in-outage', verdict: 'warn', subject: '/DC0/vm/erp-db' }),
  ]);
  expect(said({})[0]?.seen).toContain('all 400.0 GiB');
  expect(said({})[0]?.seen).toContain('about 1024 s more of outage');
});

test('R7 S3 the scrub is named as the cheaper way only where there is one', () => {
  const scrub = expect.stringContaining('the scrub reads everything again while the source serves');
  expect(said({})[0]?.remedy).toEqual(scrub);
  for (const without of [{ sync: 'during' }, { scrubEverySeconds: 0 }])
    expect(said(without)[0]?.remedy).not.toEqual(scrub);
});

test('R7 S3 without the policy, without a disk that is known, and before the cutover nothing is said of it', () => {
  expect(said({ reread: false })).toEqual([]);
  expect(said({}, [])).toEqual([]);
  expect(withoutStart(said({}))).toEqual([]);
});
