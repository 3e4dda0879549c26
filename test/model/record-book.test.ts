/**
 * The record under a storm: thousands of messages, calls for a person and nights of scrubs between the effects of a run.
 * Rule: the storm goes through the real law, and what the record then is worth is asked of the real verification.
 */
import { firstBroken } from '../../model/evidence.ts';
import type { MessageName } from '../../model/message.ts';
import { emptyBook, type RecordBook, write, writeTallies } from '../../model/record-book.ts';
import { beginStory, enter, hear, type Story } from '../../model/transition.ts';

const megabyte = 1_000_000;
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const at = (second: number): string => new Date(1_700_000_000_000 + second * 1000).toISOString();

/** As the teller writes down what the law has taken. */
function say(story: Story, book: RecordBook, name: MessageName, by: string, second: number): [Story, RecordBook] {
  const heard = hear(story, { name, by }, at(second));
  if (!heard.accepted || heard.reason !== undefined) return [heard.story, book];
  const entry = { at: at(second), key: `${name}-accepted`, what: `${by} said ${name}`, facts: { by } };
  return [heard.story, write(book, entry)];
}

const sayings = (book: RecordBook, name: string): number =>
  book.chain.reduce((sum, { key, facts }) => {
    if (key === `${name}-accepted`) return sum + 1;
    return key === `more/${name}` ? sum + Number(facts.count) : sum;
  }, 0);

test('S12 L6 5,000 holds and resumes by people with long names leave a record that is whole, counts each of them, and fits into an answer', () => {
  let story = enter(beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' }), 'Seeding');
  let book = emptyBook;
  const by = 'a'.repeat(200);
  for (let second = 0; second < 5_000; second++)
    [story, book] = say(story, book, second % 2 === 0 ? 'hold' : 'resume', by, second);
  book = writeTallies(book, at(5_000));
  expect([sayings(book, 'hold'), sayings(book, 'resume')]).toEqual([2_500, 2_500]);
  expect(firstBroken(book.chain)).toBeUndefined();
  expect(sizeOf(book.chain)).toBeLessThan(megabyte);
});

test('S12 what was written stays as it was, whatever comes later', () => {
  let book = emptyBook;
  for (let n = 0; n < 1_000; n++) {
    const before = book.chain;
    book = write(book, {
      at: at(n),
      key: 'operator-called',
      what: 'x'.repeat(5_000),
      facts: { op: 'y'.repeat(5_000) },
    });
    if (n % 100 === 0) book = write(book, { at: at(n), key: `final/${n}`, what: 'an effect', facts: {} });
    expect(book.chain.slice(0, before.length)).toEqual(before);
  }
  // The effect is in the record with all that came before it.
  expect(book.chain.at(-2)).toMatchObject({ key: 'more/call for an operator' });
  expect(book.chain.at(-1)).toMatchObject({ key: 'final/900' });
  expect(firstBroken(book.chain)).toBeUndefined();
});

test('S12 L6 a year of everything that may recur, on 64 disks, fits into an answer beside the effects', () => {
  let book = emptyBook;
  const effects = Array.from({ length: 64 * 12 }, (_, disk) => `effect/data-${disk}`);
  for (let n = 0; n < 64 * 4 * 365; n += 7)
    book = write(book, { at: at(n), key: `scrub/data-${n % 64}/${n}`, what: 'w'.repeat(80), facts: {} });
  for (const name of ['hold', 'resume', 'resolve'])
    for (let n = 0; n < 1_000; n++)
      book = write(book, { at: at(n), key: `${name}-accepted`, what: 'z'.repeat(230), facts: { by: 'z'.repeat(200) } });
  for (let n = 0; n < 1_000; n++) {
    book = write(book, { at: at(n), key: `convergence/${n}`, what: 'w'.repeat(120), facts: { rate: n } });
    book = write(book, { at: at(n), key: 'operator-called', what: 'q'.repeat(9_000), facts: { op: 'q' } });
  }
  for (const key of effects)
    book = write(book, { at: at(1), key, what: 'v'.repeat(100), facts: { digest: 'd'.repeat(64) } });
  expect(firstBroken(book.chain)).toBeUndefined();
  expect(sizeOf(book.chain)).toBeLessThan(1.2 * megabyte);
}, 60_000);

test('S12 L6 three months of application-consistent points, of a source that goes and comes, and of retried scripts, proofs and probes fit into an answer', () => {
  const often = [
    ...['application-point/N', 'source-idle', 'source-runs-again', 'step/target/license', 'proof-started'],
    ...['probe/proof/app', 'probe/live/app', 'probe/soak/app'],
  ];
  let book = emptyBook;
  const most = 90 * 72;
  for (let n = 1; n <= most; n++)
    for (const key of often) {
      const entry = {
        at: at(n),
        key: key.replace('N', String(n)),
        what: 'w'.repeat(120),
        facts: { seen: 's'.repeat(300) },
      };
      book = write(book, entry);
    }
  book = writeTallies(book, at(most));
  const told = book.chain.reduce((sum, { key, facts }) => sum + (key.startsWith('more/') ? Number(facts.count) : 1), 0);
  expect(told).toBe(most * often.length);
  expect(firstBroken(book.chain)).toBeUndefined();
  expect(sizeOf(book.chain)).toBeLessThan(megabyte);
});
