/**
 * A machine comes home while it keeps writing: both ways to write, both ways to sync, on the real Temporal server.
 */
import { firstBroken } from '../../model/evidence.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(4);
}, 120_000);
afterAll(() => scene?.close(), 60_000);

test.each([
  ['in-place', 'before'],
  ['in-place', 'during'],
  ['staged', 'before'],
  ['staged', 'during'],
] as const)(
  'S000-29 S001-15 S002-12 S1 S2 S3 S4 S11 a machine comes home %s with sync %s, no record is lost and Azure is empty after the commit',
  async (write, sync) => {
    const run = await scene.begin({ write, sync });
    const end = await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(end.seals.map((seal) => seal.disk).sort()).toEqual(['data-0', 'os']);
    expect(end.record.map((entry) => entry.key)).toEqual(
      expect.arrayContaining([
        'preflight',
        'source-stopped',
        'final/os',
        'seal/os',
        'target-started',
        'commit',
        'source-retired',
      ]),
    );
    expect(firstBroken(end.record)).toBeUndefined();
    const keys = end.record.map((entry) => entry.key);
    expect(keys.indexOf('source-stopped')).toBeLessThan(keys.indexOf('final/os'));
    expect(keys.indexOf('commit')).toBeLessThan(keys.indexOf('source-retired'));
  },
  120_000,
);
