/** The record: it only grows, and a changed entry is found. */
import fc from 'fast-check';
import { type EvidenceEntry, evidenceOfDisks, firstBroken, record } from '../../model/evidence.ts';

const chainOf = (whats: readonly string[]): EvidenceEntry[] =>
  whats.reduce<EvidenceEntry[]>(
    (chain, what, index) =>
      record(chain, { at: `2026-01-01T00:00:${index % 60}Z`, key: `k${index}`, what, facts: { index, what } }),
    [],
  );

test('S12 a record that nobody touched is whole, and its earlier part stays as it was', () => {
  const short = chainOf(['stop', 'copy']);
  const long = record(short, { at: 'now', key: 'seal', what: 'sealed', facts: {} });
  expect(firstBroken(long)).toBeUndefined();
  expect(long.slice(0, 2)).toEqual(short);
});

test('S12 changing, dropping or swapping any entry is found', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { minLength: 2, maxLength: 12 }),
      fc.nat(),
      fc.constantFrom('change', 'drop', 'swap'),
      (whats, pick, how) => {
        const chain = chainOf(whats);
        const at = pick % (chain.length - 1);
        const forged = chain.map((entry) => ({ ...entry }));
        const [here, next] = [forged[at], forged[at + 1]];
        if (!here || !next) throw new Error('the generated chain is too short');
        if (how === 'change') forged[at] = { ...here, facts: { ...here.facts, index: -1 } };
        if (how === 'drop') forged.splice(at, 1);
        if (how === 'swap') forged.splice(at, 2, next, here);
        expect(firstBroken(forged)).toBeDefined();
      },
    ),
  );
});

test('S2 the evidence of a machine names every disk, whatever their order', () => {
  const os = { disk: 'os', root: 'aa' };
  const data = { disk: 'data-0', root: 'bb' };
  expect(evidenceOfDisks([os, data])).toBe(evidenceOfDisks([data, os]));
  expect(evidenceOfDisks([os])).not.toBe(evidenceOfDisks([os, data]));
  expect(evidenceOfDisks([{ ...os, root: 'ab' }, data])).not.toBe(evidenceOfDisks([os, data]));
});
