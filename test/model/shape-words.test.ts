/** What is wrong with a message or an order, as whoever sent it reads it: in our words, not in those of the schema's library. */
import { limitsOrder } from '../../model/limits-order.ts';
import { parseMessage } from '../../model/message.ts';
import { shapeWords } from '../../model/shape-words.ts';

test.each<[unknown, string]>([
  [{}, 'by: is missing (expected text)'],
  [{ by: null }, 'by: is empty (expected text)'],
  [{ by: 7 }, 'by: expected text, not a number'],
  [{ by: ['ana'] }, 'by: expected text, not a list'],
  [{ by: ' ' }, 'by: say who you are'],
  [{ by: 'a'.repeat(201) }, 'by: must have 200 characters or fewer'],
  [{ by: 'ana', pont: 'latest' }, 'unknown key "pont"'],
  [{ by: 'ana', point: 'soon' }, 'point: expected one of latest, application-consistent'],
  ['ana', 'expected keys with values, not text'],
])('S7 a malformed message %j is refused in words: %s', (payload, words) => {
  const parsed = parseMessage('completeFailover', payload);
  if (!('problem' in parsed)) throw new Error('it was taken');
  expect(parsed.problem).toMatch(/^malformed: .*; expected Stop the source/);
  expect(parsed.problem.slice('malformed: '.length)).toMatch(new RegExp(`^${words.replace(/[()]/g, '\\$&')}; `));
});

test('S7 a commit whose evidence is empty is refused for that, and not as another digest', () => {
  expect(parseMessage('commit', { by: 'ana', evidence: '' })).toMatchObject({
    problem: expect.stringContaining('evidence: name the digest that is approved, or leave it out'),
  });
});

test.each<[object, string]>([
  [{ mover: '' }, 'must not be empty'],
  [{ mover: 'm1', waitSeconds: 0 }, 'must be 1 or more'],
  [{ mover: 'm1', waitSeconds: 1e9 }, 'must be 3600 or less'],
  [{ mover: 'm1', set: { by: 'ana', rule: { rate: 'none' }, scope: { kind: 'moon', name: 'x' } } }, 'expected one of '],
])('R11 a malformed order for limits %j is refused in words: %s', (order, words) => {
  const [issue] = limitsOrder.safeParse(order, { error: shapeWords }).error?.issues ?? [];
  expect(issue?.message).toContain(words);
});
